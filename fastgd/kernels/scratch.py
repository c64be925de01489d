"""Scratch memory of the threads that train, sized before the loop."""

from typing import NamedTuple

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.codes import ALIASING_BYTES, BETWEEN, PANEL_BYTES
from fastgd.kernels.plan import Plan
from fastgd.kernels.structs import Data, Work
from fastgd.state import VECTOR_BYTES, aligned, padded
from fastgd.system.caches import second_cache


class Scratch(NamedTuple):
    """One Work for each thread: for the rows that are trained on, the same with other memory for
    the rows of the next batch, where there are hidden halves, and for validation rows.
    """

    works: list[Work]
    next_works: list[Work]
    held_out_works: list[Work]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, those that several share counted for each."""
        return sum(array.nbytes for works in self for work in works for array in work[:-1])


def scratch_of(
    plan: Plan, data: Data, held_out: Data, threads: int, most_rows: int, *, keeps_layers: bool
) -> Scratch:
    """For blocks of at most `most_rows`; what layers compute has room in it if it is kept."""
    net, dtype = plan.net, plan.net.dtype
    gradient = aligned((data.row_parts * padded(net.n_params, dtype),), dtype)
    ranks = range(threads)

    def work(data: Data, gradient: Array) -> Work:
        return _work(plan, data, most_rows, gradient, keeps_layers=keeps_layers)

    if plan.unit_slices:  # of one block, which all threads work on
        shared = work(data, gradient)
        if plan.packs:
            shared = shared._replace(packed=_packed(plan, shared.block))
        works = [shared._replace(panel=np.zeros_like(shared.panel)) for _ in ranks]
    else:
        own = [aligned(gradient.shape, dtype) if plan.hidden_halves else gradient for _ in ranks]
        works = [work(data, each) for each in own]
    next_works = [_with_other_rows(work) for work in works] if plan.hidden_halves else []
    return Scratch(works, next_works, [work(held_out, gradient).without_chance() for _ in ranks])


def _work(plan: Plan, data: Data, most_rows: int, gradient: Array, *, keeps_layers: bool) -> Work:
    """For blocks of even size, at most `most_rows`."""
    net, dtype = plan.net, plan.net.dtype
    rows = -(-data.batch // data.row_parts)
    block = padded(-(-rows // max(1, -(-rows // most_rows))), dtype)
    inputs, outputs = net.widths[0], net.widths[-1]
    units = sum(net.widths) * block if keeps_layers else 0
    hidden = sum(net.widths[1:-1]) * block if plan.drops else 0
    gathers = keeps_layers or not plan.rows_stay
    widest = max(*net.widths, block) * dtype.itemsize
    panel_bytes = PANEL_BYTES + (block_bytes(widest) if widest >= ALIASING_BYTES else 0)
    return Work(
        rows=aligned(((inputs + outputs) * block if gathers else 0,), dtype),
        a=aligned((max(units, inputs * block),), dtype),
        z=aligned((units,), dtype),
        delta=aligned((units,), dtype),
        y=aligned((outputs * block,), dtype),
        weight=aligned((block,), dtype),
        panel=aligned((panel_bytes // dtype.itemsize if keeps_layers else 0,), dtype),
        packed=aligned((0,), dtype),
        gradient=gradient,
        masks=aligned((hidden,), dtype),
        whole=aligned((hidden,), dtype),
        keys=np.zeros(block if plan.perturbed else 0, np.int64),
        uniform=aligned((2 * block if plan.perturbed else 0,), dtype),
        now=np.zeros(6, np.int64),
        block=block,
    )


def block_bytes(widest: int) -> int:
    """For a block of rows of a product, where so many bytes of them lie side by side: for as many
    rows as take a quarter of the second cache, or all.
    """
    of_vector = PANEL_BYTES // 4  # of as many columns as a panel has rows
    vectors = min(second_cache() // 4 // of_vector // 8 * 8, -(-widest // VECTOR_BYTES // 8) * 8)
    return (max(8, vectors) + BETWEEN) * of_vector


def _packed(plan: Plan, block: int) -> Array:
    """For panels of a layer's numbers for a block, in whole vectors."""
    dtype = plan.net.dtype
    return aligned((block * padded(max(plan.net.widths), dtype),), dtype)


def _with_other_rows(work: Work) -> Work:
    """Other memory for rows, beside the same for what is computed of them."""
    rows, y, weight = (
        aligned(array.shape, array.dtype) for array in (work.rows, work.y, work.weight)
    )
    return work._replace(rows=rows, y=y, weight=weight)
