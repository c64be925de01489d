"""What a lane group does in the middle of an epoch: every member's rows in its own order, its
gradient prepared, its rate.
"""

import numpy as np

from fastgd.formulas.schedules import rate_at
from fastgd.kernels.members import NOBODY
from fastgd.kernels.plateau import ON_PLATEAU
from fastgd.kernels.rows import put_in_order
from fastgd.kernels.update import NORM_MARGIN, add_decay
from fastgd.machine.elementary import sqrt
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import broadcast, copy, lanes_of, load, narrowed, store
from fastgd.machine.vector import like, stay_scalar, where_negative
from fastgd.state import EPOCH, PLACES, UPDATES


@kernel
def order_rows(group, made):
    """Put every member's rows in the order of its epoch, which is the one of `train` by the same
    seed.
    """
    data, members, lanes = group.data, group.members, lanes_of(group.params)
    if data.shuffled == 0:
        return
    for lane in range(lanes):
        member = max(group.member_of_lane[lane], 0)
        data.order[data.n] = -1
        put_in_order(data, members.seeds[member], members.cursor[member * PLACES + EPOCH] + made)
        copy(group.order, lane * data.n, data.order, 0, data.n)


@merged
def gather_members(group, start, rows, learning, inputs, outputs):
    """Copy places start ... start + rows of every member's order, or of the rows as they are, to
    its lane; with weights, if there are any, that sum to 1 over these rows, or over all. `inputs`
    and `outputs`, the widths of a row, are constants of the caller.
    """
    data, members, lanes = group.data, group.members, lanes_of(group.params)
    shuffled = learning and data.shuffled != 0
    for lane in range(lanes):
        member = max(group.member_of_lane[lane], 0)
        X, Y, weights = (
            member * members.X_stride,
            member * members.Y_stride,
            member * members.weights_stride,
        )
        total = 0.0
        for s in range(rows):
            row = group.order[lane * data.n + start + s] if shuffled else start + s
            x, y, from_x, from_y = (
                s * inputs * lanes + lane,
                s * outputs * lanes + lane,
                X + row * inputs,
                Y + row * outputs,
            )
            for k in range(inputs):
                group.x[x + k * lanes] = data.X[from_x + k]
                stay_scalar()
            for k in range(outputs):
                group.y[y + k * lanes] = data.Y[from_y + k]
                stay_scalar()
            if len(data.weights) != 0:
                group.weight[s * lanes + lane] = data.weights[weights + row]
                total += data.weights[weights + row]
        if len(data.weights) != 0:
            if not learning:
                total = 0.0
                for row in range(data.n):
                    total += data.weights[weights + row]
            for s in range(rows):
                group.weight[s * lanes + lane] /= total if total > 0 else 1.0


@kernel
def prepare_members(group, made, batch_index):
    """Clip every member's gradient, add l2 w and l1 sign(w) to that of weights, and set the rates
    by the schedules. The rule says whether any member asks for it.
    """
    rule, members, gradient = group.rule, group.members, group.gradient
    lanes, size = lanes_of(gradient), rule.size
    if rule.clip_norm < np.inf:
        total = broadcast(gradient, 0.0)
        for p in range(0, size, lanes):
            total += load(gradient, p) * load(gradient, p)
        factor = narrowed(gradient, group.clip_norm, 0) / (sqrt(total) + NORM_MARGIN)
        factor = where_negative(factor - 1.0, factor, like(factor, 1.0))
        for p in range(0, size, lanes):
            store(gradient, p, factor * load(gradient, p))
    l2, l1 = narrowed(gradient, group.l2, 0), narrowed(gradient, group.l1, 0)
    add_decay(rule, l2, l1, group.params, gradient, 0, size)
    if rule.schedule != 0 or rule.times[0] > 0:
        for lane in range(lanes):
            member = max(group.member_of_lane[lane], 0)
            updates = members.cursor[member * PLACES + UPDATES]
            t = updates + made * group.data.batches + batch_index
            first = len(members.times) // len(members.seeds) * member
            rate = rate_at(
                members.schedules[member], members.rates[member], members.times, first, t
            )
            if members.schedules[member] == ON_PLATEAU:
                rate = members.plateau[len(members.plateau) // len(members.seeds) * member]
            group.rates[lane] = rate if group.member_of_lane[lane] != NOBODY else 0.0
