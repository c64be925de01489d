"""The order in which compiled code takes rows."""

from typing import NamedTuple

import numba
import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels import rows
from fastgd.machine import jit
from fastgd.machine.span import span_of


class Rows(NamedTuple):
    """As much of problem.Data as their order needs."""

    order: Array
    blocks: Array
    span: int
    window: int
    n: int
    shuffled: int


@numba.njit(**jit.FLAGS)
def _put_in_order(order, blocks, span, window, n, seed, epoch):
    rows.put_in_order(Rows(span_of(order), span_of(blocks), span, window, n, 1), seed, epoch)


def order_of(n, seed, epoch, span=None, window=None):
    """(n,), in memory; on disk in blocks of `span` rows, of which those of a `window` are mixed."""
    order = np.full(n + 1, -1, np.int64)
    span = span or n
    _put_in_order(order, np.zeros(-(-n // span), np.int64), span, window or n, n, seed, epoch)
    assert order[-1] == epoch
    return order[:-1]
