"""What shapes a training loop: the network, the batches, the method, the kernel."""

from dataclasses import dataclass
from functools import lru_cache

from fastgd.kernels.structs import FEW_UNITS
from fastgd.network import Network
from fastgd.state import VECTOR_BYTES

BLOCK = 256  # most rows of a block of the matrix kernel
_CACHED = 2**18  # bytes of the rows of a block that are to stay in a second cache

# How a batch and the parameters are cut for threads to share. The order of sums depends on it, so
# it is a matter of the plan alone.
SHARED_PRODUCTS = 2**19  # rows times parameters of a batch from which on it is cut: some 20 us
# of a single pass from which on threads that are started for it are worth it: some 1 ms
THREADED_PRODUCTS = 2**25
# rows times parameters of a batch whose only hidden layer is halved: some 4 to 80 us
_HALVED_PRODUCTS = range(2**16, 2**21)
_LEAST_ROWS = 64  # of a part: the gradient of each is written and read once more
_MOST_PARTS = 8
_SHARED_PARAMS = 2**14

_MOST_PLANS = 256  # that are remembered


@dataclass(frozen=True)
class Plan:
    """A training loop, without its numbers."""

    net: Network
    n: int
    batch: int  # rows of a batch; n for full batch
    shuffle: bool
    method: str
    kernel: str
    update_kind: str = "plain"  # of the update, one of optimizers.optimizer.FORMS, or plain
    # whether something is done to the gradient or the rate before it
    modifies_gradient: bool = False
    weighted: bool = False  # whether samples have weights
    validated: bool = False  # whether there are validation rows
    own_rows: bool = False  # whether members have rows or weights of their own
    # whether chance changes inputs or activations, and whether weights are bounded
    perturbed: bool = False
    drops: bool = False  # of these, activations
    bounded: bool = False
    # whether difference quotients change no z of the first layer by much
    small_changes: bool = True

    @property
    def batches(self) -> int:
        """Batches of an epoch; the last may be short."""
        return -(-self.n // self.batch)

    @property
    def rows_stay(self) -> bool:
        """Whether every batch is all the rows in their own order."""
        return self.batches == 1 and not self.shuffle

    def _is_shared(self, rows: int) -> bool:
        """Whether a pass over so many rows is enough work for several threads."""
        # which perturb the parameters in place
        shares = self.kernel == "matrix" and not self.method.endswith("difference")
        return shares and rows * self.net.n_params >= SHARED_PRODUCTS

    def row_parts(self, rows: int) -> int:
        """Parts of so many rows that are passed over at once."""
        return parts_of(rows) if self._is_shared(rows) else 1

    @property
    def unit_slices(self) -> bool:
        """Whether layers are cut into slices of units, instead of batches into parts: for a small
        batch of a wide network without hidden halves.
        """
        large = self.batch <= BLOCK and self.net.n_params >= _SHARED_PARAMS
        others = self.hidden_halves or self.reads_rows or self.perturbed
        return large and self._is_shared(self.batch) and not others

    @property
    def reads_rows(self) -> bool:
        """Whether most of an update is a first layer of few units, to read the rows of X."""
        inputs, units = self.net.widths[:2]
        few = units <= FEW_UNITS and 2 * inputs * units > self.net.n_params
        return few and not self.perturbed

    @property
    def block(self) -> int:
        """Most rows that the matrix kernel passes over at once."""
        bytes_of_row = self.net.widths[0] * self.net.dtype.itemsize
        return min(BLOCK, 1 + _CACHED // bytes_of_row) if self.reads_rows else BLOCK

    @property
    def hidden_halves(self) -> bool:
        """Whether two threads have half of the hidden units each: for a small batch of a network
        with one hidden layer, and a plain update.
        """
        net, lanes = self.net, VECTOR_BYTES // self.net.dtype.itemsize
        is_plain = self.kernel == "matrix" and self.update_kind == "plain"
        small = self.batches > 1 and self.batch <= BLOCK
        worth_it = self.batch * net.n_params in _HALVED_PRODUCTS and net.widths[1] >= 2 * lanes
        one_hidden = len(net.layers) == 2 and not self.method.endswith("difference")
        return is_plain and small and one_hidden and worth_it and not self.perturbed

    @property
    def update_slices(self) -> int:
        """Slices of the parameters that are updated at once."""
        return _MOST_PARTS if self.kernel == "matrix" and self.net.n_params >= _SHARED_PARAMS else 1

    @lru_cache(maxsize=_MOST_PLANS)  # noqa: B019
    def most_threads(self, held_out: int) -> int:
        """How many threads share an update, or a pass over so many validation rows."""
        parts = 1 if self.unit_slices else self.row_parts(self.batch)
        return max(1 + self.hidden_halves, parts, self.row_parts(held_out), self.update_slices)


def parts_of(rows: int) -> int:
    """Parts that rows which are shared are cut into."""
    return max(1, min(rows // _LEAST_ROWS, _MOST_PARTS))


def needs_matrix(plan: Plan) -> bool:
    """Whether it asks for what the matrix kernel alone has."""
    return plan.perturbed or plan.bounded
