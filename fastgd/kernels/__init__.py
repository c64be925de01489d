"""Compiled training loops: `load` gives the kernel of a plan, `start` the state it advances."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from fastgd.checks import Array
from fastgd.kernels.blas import one_thread
from fastgd.kernels.driver import State, start
from fastgd.kernels.matrix import Matrix
from fastgd.kernels.plan import Plan, can_unroll, make_plan
from fastgd.kernels.problem import pad
from fastgd.kernels.unrolled import Unrolled, source
from fastgd.network import MLP

__all__ = ["Kernel", "Matrix", "Plan", "State", "load", "make_plan", "one_blas_thread", "pad", "serving", "source", "start"]


class Kernel(Protocol):
    """A compiled training loop, bound to a plan and its data."""

    plan: Plan

    def advance(self, state: State, learning_rate: float, eps: float, limit: int) -> float:
        """At most `limit` updates of `state`, and the seconds that they took; 0 compiles what has not been compiled yet."""

    def cost(self, params: Array) -> float:
        """The cost of all rows for (n_params,) parameters."""


def load(plan: Plan, X: Array, Y: Array) -> Kernel:
    """The kernel that the plan names, bound to its data."""
    return {"matrix": Matrix, "unrolled": Unrolled}[plan.kernel](plan, X, Y)


def serving(net: MLP, method: str) -> list[str]:
    """Names of the kernels that serve a network."""
    return ["matrix", "unrolled"] if can_unroll(net, method) else ["matrix"]


def one_blas_thread(plan: Plan) -> AbstractContextManager[None]:
    """BLAS on one thread, where the plan's products are its."""
    return one_thread if plan.wide else nullcontext()
