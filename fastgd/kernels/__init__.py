"""Compiled training loops: `load` gives the kernel of a plan, `start` the state it advances."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from fastgd.checks import Array
from fastgd.kernels.blas import gemm_address
from fastgd.kernels.driver import State, start
from fastgd.kernels.matrix import Matrix
from fastgd.kernels.plan import Plan, can_unroll, make_plan
from fastgd.kernels.problem import pad
from fastgd.kernels.unrolled import Unrolled, source
from fastgd.network import MLP

__all__ = ["Kernel", "Matrix", "Plan", "State", "load", "make_plan", "one_blas_thread", "pad", "serving", "source", "start"]


class Kernel(Protocol):
    plan: Plan

    def advance(self, state: State, learning_rate: float, eps: float, limit: int) -> None:
        """At most `limit` updates of `state`; 0 compiles what has not been compiled yet."""

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters."""


def load(plan: Plan, X: Array, Y: Array) -> Kernel:
    """The kernel that the plan names, bound to its data."""
    return {"matrix": Matrix, "unrolled": Unrolled}[plan.kernel](plan, X, Y)


def serving(net: MLP, method: str) -> list[str]:
    """Names of the kernels that serve a network."""
    return ["matrix", "unrolled"] if can_unroll(net, method) else ["matrix"]


def one_blas_thread(plan: Plan) -> AbstractContextManager[Any]:
    """BLAS on one thread, where the plan's products are its: the bits of a product depend on the number of threads."""
    if not plan.wide:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    gemm_address(plan.net.dtype)  # the limit holds for libraries that are loaded
    return threadpool_limits(1, user_api="blas")  # type: ignore[no-any-return]
