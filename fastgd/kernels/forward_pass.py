"""The outputs of a network, through memory that is made once."""

import numpy as np

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.kernels.matrix_binding import MATRIX
from fastgd.kernels.plan import BLOCK, SHARED_PRODUCTS, parts_of
from fastgd.kernels.structs import PANEL_BYTES, Evaluation, Problem
from fastgd.kernels.to_structs import network_of
from fastgd.machine.cache import entry
from fastgd.machine.struct import empty_of, place_of, struct_of
from fastgd.network import Network
from fastgd.state import aligned, padded

_BUFFER = 2**17  # numbers that go in and come out at once, if one block has fewer
_COPIED = 2**13  # parameters that are copied sooner than an array says its address
_PARAMS = place_of(Evaluation, "problem", "params")
_ROWS = place_of(Evaluation, "problem", "data", "n")
_BLOCK = place_of(Evaluation, "problem", "work", "block")


def block_of(net: Network, n: int) -> int:
    """Rows of a block of `n` rows, as training has them."""
    rows = -(-n // parts_of(n)) if n * net.n_params >= SHARED_PRODUCTS else n
    return padded(-(-rows // -(-rows // BLOCK)), net.dtype)


class ForwardPass:
    """The outputs of a network for at most `most` rows at a time, which are copied to `X` and end
    up in `outputs`. It is one thread's at a time.
    """

    def __init__(self, net: Network):
        dtype, inputs, units = net.dtype, net.widths[0], net.widths[-1]
        self.net, self.dtype = net, dtype
        self.most = max(1, _BUFFER // (inputs + units) // BLOCK) * BLOCK
        self._X = aligned((self.most, inputs), dtype)
        self._outputs = aligned((self.most, units), dtype)
        self._has_own = net.n_params <= _COPIED
        self._params = aligned((net.n_params if self._has_own else 0,), dtype)
        self._params_are_finite = Finite(self._params)
        nothing: Problem = empty_of(Problem, dtype)
        self._problem = nothing._replace(
            net=network_of(net),
            data=nothing.data._replace(X=self._X),
            params=self._params,
            work=nothing.work._replace(
                a=aligned((sum(net.widths) * BLOCK,), dtype),
                z=aligned((sum(net.widths) * BLOCK,), dtype),
                panel=aligned((PANEL_BYTES // dtype.itemsize,), dtype),
            ),
        )
        work = self._problem.work
        self.nbytes = sum(array.nbytes for array in (self._X, self._outputs, work.a, work.z))
        self._struct = struct_of(Evaluation(self._problem, self._outputs, np.zeros(0)), dtype)
        self._struct[_PARAMS + 1] = net.n_params
        self.evaluate = entry("matrix", MATRIX, "evaluate", dtype).call_of(self._struct)
        self.hold(1, BLOCK)

    def hold(self, n: int, block: int) -> None:
        """Be ready for `n` rows, in blocks of so many."""
        self.shape: tuple[int, ...] = ()  # until all is done: Ctrl-C may come between
        self._struct[_ROWS], self._struct[_BLOCK] = n, block
        self.X, self.outputs = self._X[:n], self._outputs[:n]
        self.is_finite = Finite(self.X.reshape(-1))
        self.shape = self.X.shape

    def use(self, params: Array) -> bool:
        """Have these parameters, C-contiguous; the array stays alive and as it is meanwhile.

        Whether they are finite.
        """
        if self._has_own:
            self._params[...] = params
            return self._params_are_finite()
        self._struct[_PARAMS] = params.ctypes.data
        return Finite(params)()
