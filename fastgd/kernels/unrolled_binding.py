"""The unrolled kernel of a plan, bound to its data."""

import numpy as np

from fastgd.kernels.binding import Bound
from fastgd.kernels.generated.unrolled import source
from fastgd.kernels.plan import Plan
from fastgd.kernels.structs import Work
from fastgd.kernels.to_structs import mean_weight_of
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

    def _take(self, samples: Samples, held_out: Samples | None) -> None:
        if self.plan.rows_stay:
            _hold(self.works[0], samples)
        else:
            super()._take(samples, held_out)
        if held_out:
            _hold(self.held_out_works[0], held_out)

    def entry(self, function: str) -> Entry:
        return entry("unrolled", source(self.plan), function, self.plan.net.dtype)


def _hold(work: Work, samples: Samples) -> None:
    """Put all rows into the block, for good, as `rows.gather` does with those of a batch; padding
    repeats the first with weight 0.
    """
    X, Y, weights = samples
    n = len(X)
    for block, rows in ((work.a, X), (work.y, Y)):
        columns = block[: rows.shape[1] * work.block].reshape(-1, work.block)
        columns[:, :n] = rows.T
        columns[:, n:] = rows[:1].T
    total = mean_weight_of(samples, n, 1)
    work.weight[:n] = (weights.astype(np.float64) if len(weights) else 1.0) / total
