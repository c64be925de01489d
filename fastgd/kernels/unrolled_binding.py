"""The unrolled kernel of a plan, bound to its data."""

import numpy as np

from fastgd.kernels.binding import Bound
from fastgd.kernels.generated.unrolled import source
from fastgd.kernels.plan import Plan
from fastgd.kernels.structs import Data, Work
from fastgd.machine.cache import Entry, entry
from fastgd.options import Options
from fastgd.samples import Samples


class Unrolled(Bound):
    """The unrolled kernel of a plan and its data. A batch that is all rows is put in place once; X
    and Y are not kept then.
    """

    keeps_layers = False

    def __init__(
        self, plan: Plan, options: Options, samples: Samples, held_out: Samples | None = None
    ):
        most = max(plan.batch, len(held_out.X) if held_out else 0)
        super().__init__(plan, options, samples, held_out, 1, most)
        self._hold_rows(samples, held_out)

    def look_at(self, samples: Samples, held_out: Samples | None) -> None:
        super().look_at(samples, held_out)
        self._hold_rows(samples, held_out)

    def _hold_rows(self, samples: Samples, held_out: Samples | None) -> None:
        """Put rows in place that stay there."""
        if self.plan.rows_stay:
            _hold(self.works[0], self.data)
            self.data = self.data._replace(X=samples.weights[:0], Y=samples.weights[:0])
        if held_out:
            _hold(self.held_out_works[0], self.held_out)

    def entry(self, function: str) -> Entry:
        return entry("unrolled", source(self.plan), function, self.plan.net.dtype)


def _hold(work: Work, data: Data) -> None:
    """Put all rows into the block, for good, as `rows.gather` does with those of a batch; padding
    repeats the first with weight 0.
    """
    for block, rows in ((work.a, data.X), (work.y, data.Y)):
        columns = block[: rows.shape[1] * work.block].reshape(-1, work.block)
        columns[:, : data.n] = rows.T
        columns[:, data.n :] = rows[:1].T
    work.weight[: data.n] = (
        data.weights.astype(np.float64) if len(data.weights) else 1.0
    ) / data.mean_weight
