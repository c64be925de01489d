"""The matrix kernel of a plan, bound to its data: training, and what parameters come to."""

from fastgd.arguments.checks import Array
from fastgd.kernels.binding import Bound
from fastgd.kernels.plan import Plan
from fastgd.machine.cache import Entry, entry
from fastgd.options import Options
from fastgd.samples import Samples

MATRIX = '''"""The matrix kernel, for every network of a dtype."""

from fastgd.machine.jit import kernel
from fastgd.kernels import epoch
from fastgd.kernels.matrix import kernel as matrix
from fastgd.kernels.structs import HELP

# by 3, LLVM writes loops out, for each choice that is made in them too, at three times the time
OPTIMIZATION = 2


@kernel
def train(address, zero, limit):
    if epoch.problem_of(address, zero).command == HELP:
        matrix.help_out(address, zero)
    else:
        while address != 0:
            epoch.train(matrix.steps, address, zero, limit)
            address = epoch.problem_of(address, zero).following


@kernel
def evaluate(address, zero, limit):
    matrix.evaluate(address, zero)
'''


class Matrix(Bound):
    """The matrix kernel of a plan and its data."""

    def __init__(
        self,
        plan: Plan,
        options: Options,
        samples: Samples,
        held_out: Samples | None = None,
        threads: int = 1,
    ):
        super().__init__(plan, options, samples, held_out, threads, plan.block)

    def entry(self, function: str) -> Entry:
        return entry("matrix", MATRIX, function, self.plan.net.dtype)

    @property
    def gradient(self) -> Array:
        """The gradient of the last update, (n_params,)."""
        gradient: Array = self.works[0].gradient[: self.net.n_params]
        return gradient
