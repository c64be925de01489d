"""How outputs change by parameters or inputs, through memory that is made once."""

from __future__ import annotations

from functools import partial

import numpy as np

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.kernels.codes import PANEL_BYTES
from fastgd.kernels.derivative_entries import slopes_entry
from fastgd.kernels.plan import THREADED_PRODUCTS
from fastgd.kernels.structs import Slopes, Work
from fastgd.kernels.threads.pool import on_threads
from fastgd.kernels.to_structs import network_of
from fastgd.machine.struct import empty_of, place_of, struct_of
from fastgd.network import Network
from fastgd.state import VECTOR_BYTES, aligned
from fastgd.system.address import address_of
from fastgd.system.processors import available_threads

_BLOCK = 64  # rows whose layers stay in the second cache for all outputs
_THREADED = 2**22  # numbers of a Jacobian from which on threads are started for it: some 1 ms
_TASK = 2**20  # rows times outputs times parameters that a thread takes at a time
_COPIED = 2**13  # of a result that is copied sooner than an array says its address
_X, _SCALE, _N, _RESULT = (place_of(Slopes, name) for name in ("X", "scale", "n", "result"))


class SlopePass:
    """How each output of each row changes, by the parameters or by the inputs, for the parameters
    in `params`. By several threads where it is worth it. It is one caller's at a time.

    Of the rows it keeps addresses alone, those of the latest `look_at`.
    """

    def __init__(self, net: Network, *, by_inputs: bool):
        self.net, self._by_inputs = net, by_inputs
        self.params = aligned((net.n_params,), net.dtype)
        self.is_finite = Finite(self.params)
        self._small = aligned((_COPIED,), net.dtype)
        self._small_address = address_of(self._small)
        self._workers = [_Worker(net, self.params, by_inputs)]
        self.nbytes = self._workers[0].nbytes + self.params.nbytes + self._small.nbytes

    def look_at(self, X: Array, scale: Array) -> None:
        """Take the rows from X, and what to multiply the outputs of each by from `scale`, which is
        (n,), or (0,) for nothing; they stay alive meanwhile.
        """
        width = self.net.widths[0] if self._by_inputs else self.net.n_params
        self._shape = len(X), self.net.widths[-1], width
        self._numbers = len(X) * self.net.widths[-1] * width
        self._addresses = address_of(X), address_of(scale) if scale.size else 0

    def __call__(self) -> Array:
        """(n, outputs, n_params) or (n, outputs, inputs), an array of its own."""
        if self._numbers <= _COPIED:
            self._workers[0].fill(*self._addresses, self._small_address, 0, self._shape[0])
            return self._small[: self._numbers].reshape(self._shape).copy()
        result = np.empty(self._shape, self.net.dtype)
        self.fill(result)
        return result

    def fill(self, result: Array) -> None:
        """The same to the beginning of an array that lies row by row."""
        (n, outputs, _), address = self._shape, address_of(result)
        of_row = outputs * self.net.n_params
        size = max(1, _TASK // (_BLOCK * of_row)) * _BLOCK
        starts = iter(range(0, n, size))  # whoever is free takes the next

        def work(worker: _Worker) -> None:
            for start in starts:
                worker.fill(*self._addresses, address, start, min(start + size, n))

        from_there_on = THREADED_PRODUCTS if self._by_inputs else _THREADED
        tasks = -(-n // size) if n * of_row >= from_there_on else 1
        helpers = min(available_threads(), tasks) - 1 if tasks > 1 else 0
        while len(self._workers) <= helpers:
            self._workers.append(_Worker(self.net, self.params, self._by_inputs))
            self.nbytes += self._workers[-1].nbytes
        with on_threads([partial(work, each) for each in self._workers[1 : 1 + helpers]]):
            work(self._workers[0])


class _Worker:
    """The scratch memory of a thread, and its call."""

    def __init__(self, net: Network, params: Array, by_inputs: bool):
        dtype, whole = net.dtype, sum(net.widths)
        lanes = VECTOR_BYTES // dtype.itemsize

        def units(count: int) -> Array:
            return aligned((count * _BLOCK,), dtype)

        work: Work = empty_of(Work, dtype)
        work = work._replace(
            a=units(whole), rows=units(0 if by_inputs else whole - net.widths[-1]),
            z=units(whole), delta=units(whole), weight=units(1), block=_BLOCK,
            panel=aligned((max(PANEL_BYTES // dtype.itemsize, lanes * lanes * _BLOCK),), dtype),
        )  # fmt: skip
        empty: Slopes = empty_of(Slopes, dtype)
        self._values = values = empty._replace(
            net=network_of(net), params=params, work=work, derivatives=units(whole),
            by_inputs=int(by_inputs),
        )  # fmt: skip
        self.nbytes = sum(array.nbytes for array in (*work[:-1], values.derivatives))
        self._struct = struct_of(values, dtype)
        self._call = slopes_entry(dtype).call_of(self._struct)
        outputs, width = net.widths[-1], net.widths[0] if by_inputs else net.n_params
        self._of_row = net.widths[0], outputs * width, dtype.itemsize  # numbers, and their bytes
        self._place: tuple[int, ...] = ()

    def fill(self, *place: int) -> None:
        """The result of rows first ... last: addresses of X, of the scale and of the result, for
        row 0, then first and last.
        """
        if place != self._place:
            X, scale, result, first, last = place
            (inputs, numbers, size), n, struct = self._of_row, last - first, self._struct
            struct[_X : _X + 2] = X + first * inputs * size, n * inputs
            struct[_SCALE : _SCALE + 2] = (scale + first * size, n) if scale else (0, 0)
            struct[_RESULT : _RESULT + 2] = result + first * numbers * size, n * numbers
            struct[_N], self._place = n, place
        self._call()
