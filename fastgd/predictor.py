"""Predictions: the outputs of a network for rows of X, bound once to parameters or by each call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgd.arguments.arrays import rows
from fastgd.arguments.checks import Array, shown
from fastgd.kernels.forward_pass import ForwardPass, rows_at_once
from fastgd.kernels.plan import BLOCK, THREADED_PRODUCTS
from fastgd.kernels.shelf import shelf
from fastgd.kernels.threads.pool import on_threads
from fastgd.network import Network
from fastgd.system.float_errors import quiet
from fastgd.system.processors import available_threads

_TASK = 2**20  # rows times parameters that a thread takes at a time, some 30 us
_CHANGED = "X was changed while its outputs were computed"


class Predictor:
    """A network with parameters, ready to be called: `f(X)` is `net.predict(params, X)`, to the
    bit, and costs little more than the arithmetic. `net.predictor(params)` makes one.

    It has a copy of the parameters and the memory of its calls, and keeps no X. Threads may call
    one at a time or at once. It pickles and copies as its network and parameters.
    """

    def __init__(self, net: Network, params: ArrayLike):
        self.net = net
        self._bound = bound = _Bound(net, net.check_params(params).copy())
        forward = bound.new_pass()
        quick = forward.quick(bound.outputs)
        if quick is None:
            bound.free.append(forward)
        self._quick = quick or bound.outputs

    def __call__(self, X: ArrayLike, out: Array | None = None) -> Array:
        """The outputs a(m) for every row of X: (n, outputs), in an array of its own, or in `out`.

        `out` is an array of that shape and of the network's dtype, which may overlap X. Nothing is
        written to it where X is refused.
        """
        return self._quick(X) if out is None else self._quick(X, out)

    def __repr__(self) -> str:
        return f"<predictor of {self.net}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.net, self._bound.params)


class _Bound:
    """A network with its parameters, and the passes that calls of it have made."""

    def __init__(self, net: Network, params: Array):
        self.net, self.params = net, params
        # those that no call is using; calls at the same time have one each
        self.free: list[ForwardPass] = []

    def new_pass(self) -> ForwardPass:
        forward = ForwardPass(self.net)
        forward.bind(self.params)
        return forward

    def outputs(self, X: ArrayLike, out: Array | None = None) -> Array:
        try:
            forward = self.free.pop()
        except IndexError:
            forward = self.new_pass()
        try:
            return outputs_of(forward, self.params, X, out)
        finally:
            self.free.append(forward)


def predict(net: Network, params: ArrayLike, X: ArrayLike) -> Array:
    """The outputs for (n_params,) parameters, checked: (n, outputs)."""
    if not (
        type(params) is np.ndarray
        and params.dtype is net.dtype
        and params.shape == (net.n_params,)
        and params.flags.c_contiguous
    ):
        params = net.check_params(params)
    forward = shelf.take(net, lambda: _new_pass(net, params, X))
    try:
        if not forward.use(params):
            net.check_params(params)
        return outputs_of(forward, params, X)
    finally:
        shelf.put_back(net, forward)


def _new_pass(net: Network, params: ArrayLike, X: ArrayLike) -> ForwardPass:
    """A pass, for which code may be compiled, unless the arguments are to be refused."""
    net.check_params(params)
    _checked_rows(net, X)
    return ForwardPass(net)


def predict_many(net: Network, params: Array, X: ArrayLike) -> Iterator[Array]:
    """The (n, outputs) of each of (members, n_params) parameters, which are not checked."""
    X = _checked_rows(net, X)
    forward = shelf.take(net, lambda: ForwardPass(net))
    for each in map(np.ascontiguousarray, params):
        forward.use(each)
        yield outputs_of(forward, each, X)
    shelf.put_back(net, forward)


def outputs_of(
    forward: ForwardPass, params: Array, X: ArrayLike, out: Array | None = None
) -> Array:
    """The outputs for rows of X, (n, outputs), by a pass that has these parameters."""
    given = X
    if type(X) is not np.ndarray or X.shape != forward.shape or X.dtype is not forward.dtype:
        X = _fitted(forward, X)
    if out is not None:
        _check_out(forward.net, X, out)
    if len(X) > forward.most or len(X) * len(params) >= THREADED_PRODUCTS:
        checked = _checked_rows(forward.net, X) if X is given else X
        return _by_blocks(forward, params, checked, out)
    outputs = forward.outputs(X)
    if outputs is None:
        _checked_rows(forward.net, X)
        raise RuntimeError(_CHANGED)
    if out is None:
        return outputs.copy()
    out[...] = outputs
    return out


def _fitted(forward: ForwardPass, X: ArrayLike) -> Array:
    """Rows of the network's dtype, for which the pass is ready if they are few enough; they may
    still hold what is not finite.
    """
    net = forward.net
    if not (
        type(X) is np.ndarray
        and X.dtype is net.dtype
        and X.ndim == 2
        and X.shape[1] == net.widths[0]
        and len(X) > 0
    ):
        X = _checked_rows(net, X)
    if len(X) <= forward.most:
        forward.hold(len(X), rows_at_once(net, len(X)))
    return X


@quiet
def _checked_rows(net: Network, X: ArrayLike) -> Array:
    return rows("X", X, net.widths[0], net, net.dtype)


def _check_out(net: Network, X: Array, out: Array) -> None:
    """Refuse what the outputs for X can't be written to."""
    shape = len(X), net.widths[-1]
    if type(out) is np.ndarray and out.dtype is net.dtype and out.shape == shape:
        if out.flags.writeable:
            return
        raise ValueError("out must be an array that can be written to; got one that can't")
    expected = f"out must be an array of {net.dtype} of shape {shape}"
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{expected}; got {shown(out)}")
    if out.dtype != net.dtype or out.shape != shape:
        raise ValueError(f"{expected}; got {out.dtype} of shape {out.shape}")


def _by_blocks(forward: ForwardPass, params: Array, X: Array, out: Array | None) -> Array:
    """The outputs for more rows than a pass takes at once, by several threads where it is worth
    it.
    """
    net, n = forward.net, len(X)
    if out is None:
        out = np.empty((n, net.widths[-1]), net.dtype)
    elif np.may_share_memory(X, out):
        X = X.copy()
    block = rows_at_once(net, n)
    size = max(BLOCK, min(forward.most, _TASK // net.n_params)) // block * block
    starts = iter(range(0, n, size))  # whoever is free takes the next
    target = out

    def go_through(forward: ForwardPass) -> None:
        for start in starts:
            part = slice(start, min(start + size, n))
            forward.hold(part.stop - start, block)
            outputs = forward.outputs(X[part])
            if outputs is None:
                raise RuntimeError(_CHANGED)
            target[part] = outputs

    def help_out() -> None:
        another = shelf.take(net, lambda: ForwardPass(net))
        another.use(params)
        go_through(another)
        shelf.put_back(net, another)

    tasks = -(-n // size) if n * net.n_params >= THREADED_PRODUCTS else 1
    helpers = min(available_threads(), tasks) - 1 if tasks > 1 else 0
    with on_threads([help_out] * helpers):
        go_through(forward)
    return out
