"""The outputs of a network, through memory that is made once."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.kernels.codes import DEPTH, PANEL_BYTES
from fastgd.kernels.matrix_binding import MATRIX
from fastgd.kernels.plan import BLOCK, SHARED_PRODUCTS, parts_of
from fastgd.kernels.structs import Evaluation
from fastgd.kernels.to_structs import network_of
from fastgd.machine.cache import entry
from fastgd.machine.quick_call import quick_call
from fastgd.machine.struct import empty_of, place_of, struct_of, words_of
from fastgd.network import Network
from fastgd.state import VECTOR_BYTES, WIDE_VECTOR_BYTES, aligned, padded
from fastgd.system.address import address_of

_BUFFER = 2**17  # numbers that go in and come out at once, if one block has fewer
_LEAST = 32  # rows of a block, of which it takes little to begin one
_QUICK = 2**16  # rows times parameters that take so short that other threads may wait, some 5 us
_TURNED = 2**22  # parameters of which those who are bound have a second copy, input by input
_BEYOND = 4 * WIDE_VECTOR_BYTES // 4  # numbers that the vectors of a row reach beyond parameters
# parameters, or numbers of X, that are copied sooner than an array says its address
_COPIED = 2**13
_NET, _PARAMS = (place_of(Evaluation, "problem", name) for name in ("net", "params"))
_X, _ROWS = (place_of(Evaluation, "problem", "data", name) for name in ("X", "n"))
_A, _Z, _PANEL, _BLOCK = (
    place_of(Evaluation, "problem", "work", name) for name in ("a", "z", "panel", "block")
)
_OUTPUTS, _BY_INPUT, _FINITE = (
    place_of(Evaluation, name) for name in ("outputs", "by_input", "finite")
)


@cache
def _empty_struct(dtype: np.dtype[Any]) -> Array:
    """That of an evaluation whose arrays are all of no numbers."""
    return struct_of(empty_of(Evaluation, dtype), dtype)


def block_of(net: Network, n: int) -> int:
    """Rows of a block of `n` rows, as training has them."""
    rows = -(-n // parts_of(n)) if n * net.n_params >= SHARED_PRODUCTS else n
    return padded(-(-rows // -(-rows // BLOCK)), net.dtype)


def rows_at_once(net: Network, n: int) -> int:
    """Rows of a block of `n` rows whose outputs alone are wanted, which depend on no others.

    They are whole tiles of products, and what a layer takes stays in the first cache as it lies;
    but where that would cut sums otherwise, they are as many as elsewhere.
    """
    widest, tile = max(net.widths[:-1]), 4 * VECTOR_BYTES // net.dtype.itemsize
    if widest > DEPTH:
        return block_of(net, n)
    rows = PANEL_BYTES // (widest * net.dtype.itemsize) // tile * tile
    return max(_LEAST, min(BLOCK, rows))


class ForwardPass:
    """The outputs of a network for at most `most` rows at a time. It is one thread's at a time."""

    def __init__(self, net: Network):
        dtype, inputs, units = net.dtype, net.widths[0], net.widths[-1]
        self.net, self.dtype = net, dtype
        self.most = max(1, _BUFFER // (inputs + units) // BLOCK) * BLOCK
        self._few_X = aligned((max(inputs, _COPIED),), dtype)
        self._outputs = aligned((self.most, units), dtype)
        self._has_own = net.n_params <= _COPIED
        self._params = aligned((net.n_params if self._has_own else 0,), dtype)
        self._params_are_finite = Finite(self._params)
        # a takes the place of z, which is not looked at again: half as much is to stay in a cache
        a = z = aligned((sum(net.widths) * BLOCK,), dtype)
        panel = aligned((PANEL_BYTES // dtype.itemsize,), dtype)
        self._finite = np.zeros(1, np.int64)
        self.nbytes = sum(array.nbytes for array in (self._few_X, self._outputs, a))

        numbers, self._struct = network_of(net), _empty_struct(dtype).copy()
        self._memory = numbers, a, z, panel
        words = words_of(numbers, dtype, {})
        self._struct[_NET : _NET + len(words)] = words
        self._few_X_address = address_of(self._few_X)
        arrays = (self._finite, self._outputs, self._params, a, z, panel)
        for place, array in zip((_FINITE, _OUTPUTS, _PARAMS, _A, _Z, _PANEL), arrays, strict=True):
            self._struct[place : place + 2] = address_of(array), array.size
        self._struct[_PARAMS + 1] = net.n_params
        self._entry = entry("matrix", MATRIX, "evaluate", dtype)
        self.evaluate = self._entry.call_of(self._struct)
        self.hold(1, BLOCK)

    def hold(self, n: int, block: int) -> None:
        """Be ready for `n` rows, in blocks of so many."""
        self.shape: tuple[int, ...] = ()  # until all is done: Ctrl-C may come between
        self._struct[_ROWS], self._struct[_BLOCK] = n, block
        shape = n, self.net.widths[0]
        self._struct[_X + 1] = n * shape[1]
        self._outputs_now, self._X = self._outputs[:n], self._room_for(shape)
        self.shape = shape

    def _room_for(self, shape: tuple[int, int]) -> Array | None:
        """Where so many rows are copied to, if they are few."""
        size = shape[0] * shape[1]
        return self._few_X[:size].reshape(shape) if size <= len(self._few_X) else None

    def outputs(self, X: Array) -> Array | None:
        """Those of rows of X, of the shape and dtype that it is ready for; in memory of the pass,
        to be copied. None if not all of X is finite.
        """
        if self._X is None:
            X = X if X.flags.c_contiguous and X.flags.aligned else X.copy(order="C")
            self._struct[_X] = address_of(X)
        else:
            self._struct[_X] = self._few_X_address
            self._X[...] = X
        self.evaluate()
        return self._outputs_now if self._finite[0] else None

    def use(self, params: Array) -> bool:
        """Have these parameters, C-contiguous; the array stays alive and as it is meanwhile.

        Whether they are finite.
        """
        if self._has_own:
            self._params[...] = params
            return self._params_are_finite()
        self._struct[_PARAMS] = address_of(params)
        return Finite(params)()

    def bind(self, params: Array) -> None:
        """Have these parameters, finite and C-contiguous, for good: nobody changes the array."""
        self.use(params)
        if self.net.n_params <= _TURNED:
            by_input = _by_input(self.net, params)
            self._struct[_BY_INPUT : _BY_INPUT + 2] = address_of(by_input), by_input.size
            self._alive = params, by_input

    def quick(self, otherwise: Callable[..., Array]) -> Callable[..., Array] | None:
        """`outputs(X)` or `outputs(X, out)` for few rows, by machine code that Python calls, with
        `otherwise` for all that is not just that; None where there can be none.

        The pass is that function's from now on.
        """
        most_rows = min(BLOCK, _QUICK // self.net.n_params)
        if most_rows == 0:
            return None
        self.hold(1, BLOCK)
        inputs, units, address = self.net.widths[0], self.net.widths[-1], self._entry.address()
        places = _ROWS, _X, _OUTPUTS
        return quick_call(
            self.dtype, inputs, most_rows, units, places, self._struct, address, otherwise, self
        )


def _by_input(net: Network, params: Array) -> Array:
    """The parameters with W^T in the place of W, and room for vectors that reach beyond them."""
    turned = aligned((net.n_params + _BEYOND,), net.dtype)
    turned[: net.n_params] = params
    for layer in net.layers:
        weights = params[layer.weights].reshape(layer.outputs, layer.inputs)
        turned[layer.weights] = weights.T.reshape(-1)
    return turned
