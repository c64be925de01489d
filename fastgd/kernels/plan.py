"""What shapes a training loop: the network, the batches, the method, the kernel."""

from dataclasses import dataclass
from functools import cached_property

from fastgd.formulas.texts import HELD_LOSSES, name_of_held
from fastgd.kernels.codes import FEW_UNITS, IN_KERNEL, ROW_GROUP
from fastgd.network import Network
from fastgd.state import VECTOR_BYTES

# most rows of a block of the matrix kernel, and of one whose layers are cut into slices of units
BLOCK, SLICED_BLOCK = 256, 512
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
_FEW_ROWS = 7  # of a batch, most whose units are lanes
_FEW_PRODUCTS = 2**17  # rows times weights of a layer of them, of a part: some 3 us
_ROWS_OF_UPDATE = 8
_WIDE_PARAMS = 2**17  # whose gradients, one of each part of the rows, take longer than meeting does


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

    @property
    def one_row(self) -> bool:
        """Whether every batch is one of several rows."""
        return self.batch == 1 and not self.rows_stay

    def _is_shared(self, rows: int) -> bool:
        """Whether a pass over so many rows is enough work for several threads."""
        # which perturb the parameters in place
        shares = self.kernel == "matrix" and not self.method.endswith("difference")
        return shares and rows * self.net.n_params >= SHARED_PRODUCTS

    def row_parts(self, rows: int) -> int:
        """Parts of so many rows that are passed over at once."""
        return parts_of(rows) if self._is_shared(rows) else 1

    @property
    def few_rows(self) -> bool:
        """Whether a batch has so few rows that the units of a layer are the lanes of vectors."""
        exact = self.kernel == "matrix" and not self.method.endswith("difference")
        few = self.batches > 1 and self.batch <= _FEW_ROWS
        # others are computed with samples for lanes
        held = name_of_held(self.net.loss_function) in HELD_LOSSES
        return exact and few and held and self.update_kind in IN_KERNEL and not needs_matrix(self)

    def few_parts(self, l: int) -> int:
        """Parts of the units of layer l, where there are few rows."""
        # an update by slots takes as long as so many rows
        rows = self.batch + (_ROWS_OF_UPDATE if self.update_kind != "plain" else 1)
        inputs, units = self.net.widths[l : l + 2]
        return max(
            1, min(rows * inputs * units // _FEW_PRODUCTS, -(-units // ROW_GROUP), _MOST_PARTS)
        )

    @property
    def unit_slices(self) -> bool:
        """Whether layers are cut into slices of units, instead of batches into parts: for a small
        batch of a wide network without hidden halves, and any of a wider one.
        """
        least = _SHARED_PARAMS if self.batch <= BLOCK else _WIDE_PARAMS
        large = self.net.n_params >= least
        others = self.hidden_halves or self.reads_rows or self.few_rows or self.perturbed
        return large and self._is_shared(self.batch) and not others

    @property
    def few_units(self) -> bool:
        """Whether the first layer has few units, and its inputs fill a vector."""
        inputs, units = self.net.widths[:2]
        return units <= FEW_UNITS and inputs * self.net.dtype.itemsize >= VECTOR_BYTES

    @property
    def reads_rows(self) -> bool:
        """Whether most of an update is a first layer of few units, to read the rows of X."""
        inputs, units = self.net.widths[:2]
        few = units <= FEW_UNITS and 2 * inputs * units > self.net.n_params
        return few and not self.perturbed

    @property
    def packs(self) -> bool:
        """Whether what slices of units are multiplied with is packed before."""
        wide = self.net.n_params >= _WIDE_PARAMS
        return self.unit_slices and wide and self.batch >= _LEAST_ROWS

    @property
    def block(self) -> int:
        """Most rows that the matrix kernel passes over at once."""
        bytes_of_row = self.net.widths[0] * self.net.dtype.itemsize
        if self.reads_rows:
            return min(BLOCK, 1 + _CACHED // bytes_of_row)
        return SLICED_BLOCK if self.unit_slices else BLOCK

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
        others = self.few_rows or self.perturbed
        return is_plain and small and one_hidden and worth_it and not others

    @property
    def update_slices(self) -> int:
        """Slices of the parameters that are updated at once."""
        return _MOST_PARTS if self.kernel == "matrix" and self.net.n_params >= _SHARED_PARAMS else 1

    def most_threads(self, held_out: int) -> int:
        """How many threads share an update, or a pass over so many validation rows."""
        return max(self._threads_of_update, self.row_parts(held_out) if held_out else 1)

    @cached_property
    def _threads_of_update(self) -> int:
        if self.few_rows:
            return max(map(self.few_parts, range(len(self.net.layers))))
        parts = 1 if self.unit_slices else self.row_parts(self.batch)
        return max(1 + self.hidden_halves, parts, self.update_slices)

    def __hash__(self) -> int:
        """By what plans mostly differ in: it is asked for at every call."""
        return hash((self.net.widths, self.n, self.batch))


def parts_of(rows: int) -> int:
    """Parts that rows which are shared are cut into."""
    return max(1, min(rows // _LEAST_ROWS, _MOST_PARTS))


def needs_matrix(plan: Plan) -> bool:
    """Whether it asks for what the matrix kernel alone has."""
    return plan.perturbed or plan.bounded
