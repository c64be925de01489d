"""Products of the Hessian of a cost with vectors, through memory that is made once."""

from __future__ import annotations

from functools import partial

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.kernels.codes import PANEL_BYTES
from fastgd.kernels.derivative_entries import NetworkFunctions, hessian_entry
from fastgd.kernels.forward_pass import block_of
from fastgd.kernels.plan import SHARED_PRODUCTS, THREADED_PRODUCTS, parts_of
from fastgd.kernels.structs import Curvature, Data, Work
from fastgd.kernels.threads.pool import on_threads
from fastgd.kernels.to_structs import data_of, network_of
from fastgd.machine.struct import empty_of, place_of, struct_of
from fastgd.network import Network
from fastgd.samples import Samples
from fastgd.state import aligned, padded
from fastgd.system.address import address_of
from fastgd.system.processors import available_threads

_X, _Y = (place_of(Curvature, "data", name) for name in ("X", "Y"))
_FIRST, _LAST, _RESULT = (place_of(Curvature, name) for name in ("first", "last", "result"))


class CurvaturePass:
    """The Hessian of what so many rows cost, at the parameters in `params`, times the vector in
    `vector`. By several threads where it is worth it: rows are cut into parts by their number
    alone, whose products are added in their order. It is one caller's at a time.

    Of the rows it keeps addresses alone, those of the samples until `look_at` says other ones.
    Their weights it keeps.
    """

    def __init__(self, net: Network, samples: Samples):
        self.net, self._n = net, len(samples.X)
        products = self._n * net.n_params
        parts = parts_of(self._n) if products >= SHARED_PRODUCTS else 1
        threads = min(available_threads(), parts) if products >= THREADED_PRODUCTS else 1
        self._results = aligned((parts, padded(net.n_params, net.dtype)), net.dtype)
        both = aligned((2, net.n_params), net.dtype)
        self.params, self.vector = both
        self.is_finite = Finite(self.params)
        nothing = samples.X.reshape(-1)[:0].copy()
        data = data_of(samples, self._n, self._n, shuffle=False)._replace(X=nothing, Y=nothing)
        self._sizes = samples.X.size, samples.Y.size
        self._workers = [_Worker(net, data, self.params, self.vector) for _ in range(threads)]
        of_workers = sum(worker.nbytes for worker in self._workers)
        self.nbytes = of_workers + self._results.nbytes + both.nbytes
        self.look_at(samples.X, samples.Y)

    def look_at(self, X: Array, Y: Array) -> None:
        """Take the rows from these arrays, which stay alive meanwhile."""
        for worker in self._workers:
            worker.look_at((address_of(X), self._sizes[0]), (address_of(Y), self._sizes[1]))

    def __call__(self) -> Array:
        """The product, (n_params,), in an array of its own."""
        results, n, n_params = self._results, self._n, self.net.n_params
        if len(results) == 1:
            self._workers[0].fill(results[0], 0, n)
            return results[0, :n_params].copy()
        parts = iter(range(len(results)))  # whoever is free takes the next

        def work(worker: _Worker) -> None:
            for i in parts:
                worker.fill(results[i], n * i // len(results), n * (i + 1) // len(results))

        with on_threads([partial(work, each) for each in self._workers[1:]]):
            work(self._workers[0])
        total: Array = results[:, :n_params].sum(axis=0)
        return total


class _Worker:
    """The scratch memory of a thread, and its call."""

    def __init__(self, net: Network, data: Data, params: Array, vector: Array):
        dtype, block = net.dtype, block_of(net, data.n)
        inputs, outputs, whole = net.widths[0], net.widths[-1], sum(net.widths)

        def units(count: int) -> Array:
            return aligned((count * block,), dtype)

        empty: Work = empty_of(Work, dtype)
        work = empty._replace(
            a=units(whole), z=units(whole), delta=units(whole), y=units(outputs), weight=units(1),
            rows=units(inputs + outputs), panel=aligned((PANEL_BYTES // dtype.itemsize,), dtype),
            block=block,
        )  # fmt: skip
        by_a = work._replace(a=units(whole), z=units(whole))
        by_delta = work._replace(delta=units(whole))
        own = (*work[:-1], by_a.a, by_a.z, by_delta.delta)
        self.nbytes = sum(array.nbytes for array in own)
        network = network_of(net)
        bare = network._replace(biases=network.biases * 0 - 1)
        functions = NetworkFunctions(net)
        self._values = Curvature(
            network, bare, *functions.places(), net.loss_function.output is not None, data, params,
            vector, work, by_a, by_delta, 0, 0, vector[:0],
        )  # fmt: skip
        self._struct = struct_of(self._values, dtype)
        self._call = hessian_entry(functions, dtype).call_of(self._struct)
        self._place: tuple[int, int] = 0, 0

    def look_at(self, X: tuple[int, int], Y: tuple[int, int]) -> None:
        """Take the rows from these addresses of so many numbers."""
        self._struct[_X : _X + 2], self._struct[_Y : _Y + 2] = X, Y

    def fill(self, result: Array, first: int, last: int) -> None:
        """The product for the share of the cost that rows first ... last have."""
        if (first, last) != self._place:
            self._struct[_RESULT : _RESULT + 2] = address_of(result), result.size
            self._struct[_FIRST], self._struct[_LAST] = self._place = first, last
        self._call()
