"""Memory for batches of few rows: parameters whose rows of weights fill whole vectors, and what
layers compute of a row of data.

In the flat array a layer's W is followed by its biases, without room between rows. Here biases come
first, with zeros up to whole vectors; each row of W is filled up with zeros, too, and rows of zeros
follow up to as many as are taken together.
"""

import numpy as np

from fastgd.arguments.checks import Array
from fastgd.kernels.codes import CHUNK, ROW_GROUP
from fastgd.kernels.plan import Plan
from fastgd.kernels.structs import FewRows, Rule
from fastgd.machine.struct import empty_of
from fastgd.options import Options
from fastgd.state import WIDE_VECTOR_BYTES, aligned


def few_rows_of(plan: Plan, options: Options) -> FewRows:
    """The memory of a plan; of no numbers if its batches are of more rows."""
    net, dtype = plan.net, plan.net.dtype
    if not plan.few_rows:
        return empty_of(FewRows, dtype)  # type: ignore[no-any-return]
    lanes = WIDE_VECTOR_BYTES // dtype.itemsize
    widths = [_up_to(lanes, width) for width in net.widths]
    weights, size = [], 0
    for width, units, inputs in zip(widths[1:], net.widths[1:], widths, strict=False):
        weights.append(size + width)
        size += width + _up_to(ROW_GROUP, units) * inputs
    one_chunk = max(
        width + max(CHUNK, ROW_GROUP * inputs)
        for width, inputs in zip(widths[1:], widths, strict=False)
    )
    gradient = size if options.clip_norm is not None else one_chunk
    parts = [plan.few_parts(l) for l in range(len(net.layers))]
    back = max(part * width if part > 1 else 0 for part, width in zip(parts, widths, strict=False))
    *starts, stop = (plan.batch * np.cumsum([0, *widths])).tolist()
    z, delta = (aligned((stop,), dtype) for _ in range(2))
    return FewRows(
        widths=np.array(widths),
        weights=np.array(weights),
        starts=np.array(starts),
        now=np.array([0, stop, 0]),  # inputs are at the beginning and behind all else, by turns
        parts=np.array(parts),
        params=aligned((size,), dtype),
        gradient=aligned((0 if plan.update_kind == "plain" else gradient,), dtype),
        a=aligned((stop + plan.batch * widths[0],), dtype),
        z=z,
        delta=delta,
        back=aligned((plan.batch * back,), dtype),
        y=aligned((plan.batch * widths[-1],), dtype),
        weight=aligned((plan.batch,), dtype),
    )


def few_rule_of(rule: Rule, few: FewRows, plan: Plan, options: Options) -> Rule:
    """The rule for parameters as they lie in this memory; as it is where there are more rows."""
    net, size, dtype = plan.net, few.params.size, plan.net.dtype
    if not plan.few_rows:
        return rule

    def lined(of_weights: Array) -> Array:
        result = aligned((size if len(of_weights) else 0,), dtype)
        for l, layer in enumerate(net.layers if len(of_weights) else ()):
            start, width = few.weights[l], few.widths[l]
            rows = result[start : start + layer.outputs * width].reshape(-1, width)
            rows[:, : layer.inputs] = of_weights[layer.weights].reshape(-1, layer.inputs)
        return result

    return rule._replace(
        slots=aligned((options.optimizer.slots * size,), dtype),
        is_weight=lined(rule.is_weight), is_steep=lined(rule.is_steep), size=size,
    )  # fmt: skip


def for_threads(few: FewRows, plan: Plan, options: Options, threads: int) -> list[FewRows]:
    """The memory for each thread, with a gradient of its own, but for one that is kept whole."""
    whole, gradient = options.clip_norm is not None or plan.update_kind == "plain", few.gradient
    own = (
        gradient if whole else aligned(gradient.shape, gradient.dtype) for _ in range(1, threads)
    )
    return [few, *(few._replace(gradient=each) for each in own)]


def _up_to(whole: int, number: int) -> int:
    """A number rounded up to a multiple."""
    return -(-number // whole) * whole
