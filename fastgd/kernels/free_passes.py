"""Passes over the same rows for calls of a function of parameters that is bound to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import Finite
from fastgd.arguments.checks import Array
from fastgd.network import Network


class Pass(Protocol):
    """What has parameters in memory of its own."""

    params: Array
    is_finite: Finite


P = TypeVar("P", bound=Pass)


class FreePasses(Generic[P]):
    """Calls at the same time have one each; `free` are those that no call is using, to which one
    that was taken comes back.
    """

    def __init__(self, net: Network, make: Callable[[], P]):
        self._net, self._make = net, make
        self._dtype, self._shape = net.dtype, (net.n_params,)
        self.free: list[P] = []

    def take(self, params: ArrayLike) -> P:
        """One that no other call has, with these parameters; ValueError or TypeError if they are
        none.
        """
        try:
            one = self.free.pop()
        except IndexError:
            params = self._net.check_params(params)
            one = self._make()
        if (
            type(params) is np.ndarray
            and params.dtype is self._dtype
            and params.shape == self._shape
        ):
            one.params[...] = params
            if one.is_finite():
                return one
        try:
            one.params[...] = self._net.check_params(params)
        except BaseException:
            self.free.append(one)
            raise
        return one
