"""What shapes a training loop: the network, the batches, the method; and which kernel runs it."""

from dataclasses import dataclass, replace
from functools import lru_cache

from fastgd.kernels.generated.sample import lines_of_sample
from fastgd.kernels.structs import ROW_GROUP
from fastgd.network import Network
from fastgd.options import Options
from fastgd.state import VECTOR_BYTES

BLOCK = 256  # most rows of a block of the matrix kernel

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

# An unrolled kernel is compiled once for its plan, in a tenth of a second and a quarter of one for
# every hundred lines.
_MOST_LINES = 800
_FAR = 0.5  # changes of z up to which e^-z is used again, see generated.differences
_MOST_LINES_IF_AUTO = 250
_LEAST_MEMBERS = 4  # from which on lanes are filled well enough
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
    update_kind: str = "plain"  # of the update, one of names.UPDATE_KINDS
    # whether something is done to the gradient or the rate before it
    modifies_gradient: bool = False
    weighted: bool = False  # whether samples have weights
    validated: bool = False  # whether there are validation rows
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
    def few_rows(self) -> bool:
        """Whether a batch has so few rows that the units of a layer are the lanes of vectors."""
        exact = self.kernel == "matrix" and not self.method.endswith("difference")
        return exact and self.batches > 1 and self.batch <= _FEW_ROWS

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
        batch of a wide network without hidden halves.
        """
        large = self.batch <= BLOCK and self.net.n_params >= _SHARED_PARAMS
        is_cut = self.hidden_halves or self.few_rows
        return large and self._is_shared(self.batch) and not is_cut

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
        return is_plain and small and one_hidden and worth_it and not self.few_rows

    @property
    def seconds(self) -> float:
        """About what an epoch takes the matrix kernel.

        It takes about 50 ns an update, and one more for a sample's every parameter; difference
        methods pass once more for every parameter.
        """
        passes = 1 + self.net.n_params if self.method.endswith("difference") else 1
        return self.batches * passes * (50 + self.batch * self.net.n_params) * 1e-9

    @property
    def update_slices(self) -> int:
        """Slices of the parameters that are updated at once."""
        return _MOST_PARTS if self.kernel == "matrix" and self.net.n_params >= _SHARED_PARAMS else 1

    @lru_cache(maxsize=_MOST_PLANS)  # noqa: B019
    def most_threads(self, held_out: int) -> int:
        """How many threads share an update, or a pass over so many validation rows."""
        if self.few_rows:
            parts = max(map(self.few_parts, range(len(self.net.layers))))
            return max(parts, self.row_parts(held_out))
        parts = 1 if self.unit_slices else self.row_parts(self.batch)
        return max(1 + self.hidden_halves, parts, self.row_parts(held_out), self.update_slices)


def parts_of(rows: int) -> int:
    """Parts that rows which are shared are cut into."""
    return max(1, min(rows // _LEAST_ROWS, _MOST_PARTS))


def choose(plan: Plan, epochs: int = 0, members: int | None = None) -> Plan:
    """The plan with its kernel: "auto" becomes one by the arguments alone, for a single network, or
    for so many members that train `epochs` in all.

    Raises
    ------
    ValueError
        If the kernel does not serve the network.
    """
    if plan.kernel == "auto":
        several = members is None or members >= _LEAST_MEMBERS
        written_out = "unrolled" if members is None else "lanes"
        pays = several and _pays_to_unroll(plan, epochs)
        plan = replace(plan, kernel=written_out if pays else "matrix")
    elif plan.kernel == "lanes" and members is None:
        raise ValueError(
            "kernel 'lanes' serves many copies of a network, by fastgd.train_many; got one"
        )
    _check_written_out(plan)
    # the order of rows that are one batch only matters to rounding; as they are, their cost falls
    # out before the update
    is_one_batch = plan.kernel == "lanes" and plan.batches == 1
    return replace(plan, shuffle=False) if is_one_batch else plan


def _check_written_out(plan: Plan) -> None:
    """Refuse to write out a network that is too large for it."""
    net, method = plan.net, plan.method
    if plan.kernel in ("unrolled", "lanes") and not can_unroll(net, method):
        raise ValueError(
            f"kernel {plan.kernel!r} serves networks whose equations take at most {_MOST_LINES} "
            "lines; "
            f"got {net} with method {method!r}, which takes {_lines(net, method)}"
        )


@lru_cache(maxsize=_MOST_PLANS)
def make_plan(
    net: Network, n: int, options: Options, kernel: str = "auto", epochs: int = 0, *,
    members: int | None = None, largest: float = 1.0, weighted: bool = False,
    validated: bool = False,
) -> Plan:  # fmt: skip
    """The plan of checked arguments, with its kernel, for one network or so many members, whose
    epochs are counted together; ValueError if the kernel does not serve the network.

    Inputs are at most `largest` in size.
    """
    is_exact = not options.method.endswith("difference")
    plan = Plan(
        net,
        n,
        batch=n if options.batch_size is None else options.batch_size,
        shuffle=options.shuffle and options.batch_size is not None,
        method=options.method,
        kernel=kernel,
        update_kind=options.update_kind,
        modifies_gradient=options.modifies_gradient,
        weighted=weighted,
        validated=validated,
        small_changes=is_exact or options.eps * max(1.0, largest) < _FAR,
    )
    return choose(plan, epochs, members)


def can_unroll(net: Network, method: str) -> bool:
    """Whether the unrolled kernel serves the network."""
    return _lines(net, method) <= _MOST_LINES


@lru_cache(maxsize=_MOST_PLANS)
def _lines(net: Network, method: str) -> int:
    """Statements of one sample, written out; a lower bound where there are very many."""
    if net.n_params > _MOST_LINES:
        return net.n_params
    return sum(map(len, lines_of_sample(net, method)))


def _pays_to_unroll(plan: Plan, epochs: int) -> bool:
    """Whether the matrix kernel would take longer than compiling does."""
    lines = _lines(plan.net, plan.method)
    return lines <= _MOST_LINES_IF_AUTO and epochs * plan.seconds > 0.1 + lines / 100
