"""The cost of rows and its gradient, by the pass of training, through memory that is made once."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.kernels.choice import make_plan
from fastgd.kernels.codes import NO_UPDATE, PASS
from fastgd.kernels.matrix_binding import Matrix
from fastgd.kernels.plan import THREADED_PRODUCTS
from fastgd.kernels.structs import Evaluation, Problem
from fastgd.machine.struct import place_of, struct_of
from fastgd.names import METHODS
from fastgd.network import Network
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import EPOCH_COST_SUM, NEXT_RECORD, RECORDED
from fastgd.system.address import address_of
from fastgd.system.processors import available_threads

_X, _Y = (place_of(Problem, "data", name) for name in ("X", "Y"))


class GradientPass:
    """What so many rows cost, and the gradient of that by a method: an epoch of training at rate 0
    for the parameters in `params`, by several threads where it is worth it. It is one caller's at a
    time.

    Of the rows it keeps addresses alone, those of the samples until `look_at` says other ones.
    Their weights it keeps.
    """

    def __init__(self, net: Network, samples: Samples, method: str = "backprop", eps: float = 1e-3):
        n, dtype = len(samples.X), net.dtype
        options = Options(method=method, learning_rate=0.0, eps=eps, record=2)
        plan = make_plan(net, n, options, "matrix", weighted=len(samples.weights) > 0)
        threads = available_threads() if n * net.n_params >= THREADED_PRODUCTS else 1
        self._kernel = kernel = Matrix(plan, options, samples, None, threads)
        self._state = state = kernel.start(np.zeros(net.n_params, dtype))
        self._method = METHODS.index(method)
        self._cursor, self._costs, self._sums = state.cursor, state.costs, state.sums
        self.params, self._gradient = state.params[: net.n_params], kernel.gradient
        self.is_finite = Finite(self.params)
        arrays = [state.params, *(each for work in kernel.works for each in work[:-1])]
        self.nbytes = sum(array.nbytes for array in arrays)
        self._structs: list[Array] = []
        self._weights = samples.weights
        kernel.let_go()
        self.look_at(samples.X, samples.Y)

    def look_at(self, X: Array, Y: Array) -> None:
        """Take the rows from these arrays, which stay alive meanwhile."""
        self._addresses = address_of(X), address_of(Y)
        for struct in self._structs:
            struct[_X], struct[_Y] = self._addresses

    def _call(self, function: str, values: tuple[Any, ...]) -> Callable[[], None]:
        struct = self._kernel.pointed(struct_of(values, self.params.dtype))
        struct[_X], struct[_Y] = self._addresses
        self._structs.append(struct)
        return self._kernel.entry(function).call_of(struct)

    def _calls(self, method: int) -> list[Callable[[], None]]:
        """Of who leads, and of those who help."""
        kernel = self._kernel
        problems = (kernel.problem(self._state, PASS, rank=i) for i in range(len(kernel.works)))
        return [self._call("train", problem._replace(method=method)) for problem in problems]

    @cached_property
    def _training(self) -> list[Callable[[], None]]:
        return self._calls(self._method)

    @cached_property
    def _costing(self) -> list[Callable[[], None]]:
        return self._calls(NO_UPDATE)

    @cached_property
    def _evaluation(self) -> tuple[Callable[[], None], Array]:
        layer_costs = np.zeros(self._kernel.net.layers)
        problem, nothing = self._kernel.problem(self._state, PASS), self.params[:0]
        problem = problem._replace(work=problem.work._replace(packed=nothing))
        values = Evaluation(problem, nothing, layer_costs, nothing, self._cursor[:0])
        return self._call("layer_costs", values), layer_costs

    def _run(self, calls: list[Callable[[], None]]) -> None:
        if len(calls) == 1:
            calls[0]()
            return
        with self._kernel.helpers.at_call(calls[1:]):
            calls[0]()

    def cost_and_gradient(self) -> tuple[float, Array]:
        """The cost, and its gradient in an array of its own."""
        self._cursor[RECORDED] = self._cursor[NEXT_RECORD] = 0
        self._run(self._training)
        return float(self._costs[0]), self._gradient.copy()

    def cost(self) -> float:
        """The cost alone."""
        self._sums[EPOCH_COST_SUM] = 0.0
        self._run(self._costing)
        return float(self._sums[EPOCH_COST_SUM])

    def layer_costs(self) -> Array:
        """The notes' layer costs, (m,)."""
        evaluate, layer_costs = self._evaluation
        layer_costs[:] = 0.0
        evaluate()
        return layer_costs.copy()
