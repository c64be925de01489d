"""The course of a crew: members come to lanes, train for stretches of epochs, end each at its own epoch, and make room for the next.

A kernel brings `steps(crew, count)`: at most `count` epochs for all lanes, fewer where a lane has to be seen to; it returns how many it
made, and leaves in `costs` those of the parameters as they are. What a member computes depends neither on its lane nor on its neighbours,
nor on where stretches end: lanes do not mix, and members that have not ended are only looked at, never changed.
"""

import numpy as np

from fastgd.jit import inline, kernel
from fastgd.kernels.atomic import add
from fastgd.kernels.members import DIVERGED, EPOCHS, NOBODY, PATIENCE, RUNNING, TARGET_COST, Crew
from fastgd.kernels.rows import put_in_order
from fastgd.kernels.update import NORM_MARGIN, add_decay
from fastgd.kernels.view import viewer
from fastgd.numeric import sqrt
from fastgd.simd import broadcast, copy, lanes_of, like, load, stay_scalar, store, where_negative
from fastgd.state import WIDE_VECTOR_BYTES
from fastgd.updates import rate_at

_LONGEST = 1024  # epochs of a stretch

crew_of = viewer(Crew, WIDE_VECTOR_BYTES)


# -- members come and go -----------------------------------------------------------------------------------------------------------------


@inline
def _columns(lane_major, lane, lanes, member_major, start, count, arrives):
    """Copy a member's numbers to the column of its lane, or back."""
    for p in range(count):
        if arrives:
            lane_major[p * lanes + lane] = member_major[start + p]
        else:
            member_major[start + p] = lane_major[p * lanes + lane]


@kernel
def _move(crew, lane, member, arrives):
    """What a member owns, from its place among all to its lane, or back."""
    lanes, n, slots = lanes_of(crew.params), crew.net.n_params, len(crew.rule.slots) // len(crew.params)
    _columns(crew.params, lane, lanes, crew.members.params, member * n, n, arrives)
    _columns(crew.rule.slots, lane, lanes, crew.members.slots, member * n * slots, n * slots, arrives)
    _columns(crew.rule.powers, lane, lanes, crew.members.powers, member * 2, 2, arrives)
    _columns(crew.marks, lane, lanes, crew.members.marks, member, 1, arrives)


@kernel
def _put_rows(crew, lane, member):
    """The rows of a member that has some of its own, for the whole course."""
    data, members, lanes = crew.data, crew.members, lanes_of(crew.params)
    inputs, outputs = crew.net.widths[0], crew.net.widths[crew.net.layers]
    _columns(crew.x, lane, lanes, data.X, member * members.X_stride, data.n * inputs, True)
    _columns(crew.y, lane, lanes, data.Y, member * members.Y_stride, data.n * outputs, True)
    if members.weights_stride != 0:
        total = 0.0
        for row in range(data.n):
            total += data.weights[member * members.weights_stride + row]
        for row in range(data.n):
            crew.weight[row * lanes + lane] = data.weights[member * members.weights_stride + row] / total


@kernel
def _take_on(crew, lane):
    """Put the next member who waits on a free lane; without one, the lane stands still at zeros."""
    members, lanes = crew.members, lanes_of(crew.params)
    place = add(members.taken, 0, 1)
    crew.caps[lane] = 0
    if place < len(members.waiting):
        member = members.waiting[place]
        crew.who[lane], crew.rates[lane] = member, members.rates[member]
        crew.targets[lane], crew.min_delta[lane] = members.targets[member], members.min_delta[member]
        _move(crew, lane, member, True)
        if len(crew.x) != 0 and crew.data.batches == 1 and crew.data.shuffled == 0:
            _put_rows(crew, lane, member)
        return
    crew.who[lane], crew.rates[lane], crew.targets[lane] = NOBODY, 0.0, -np.inf
    for p in range(lane, len(crew.params), lanes):
        crew.params[p] = 0.0
    for p in range(lane, len(crew.rule.slots), lanes):
        crew.rule.slots[p] = 0.0


@kernel
def disband(crew):
    """Write back where every member stands, and free the lanes."""
    for lane in range(len(crew.who)):
        if crew.who[lane] != NOBODY:
            _move(crew, lane, crew.who[lane], False)
            crew.who[lane] = NOBODY


# -- stretches -------------------------------------------------------------------------------------------------------------------------


@kernel
def _length(crew, limit):
    """Epochs until a member may have to be seen to; 0 if all lanes are free."""
    members, count, busy = crew.members, min(limit, _LONGEST), False
    for lane in range(len(crew.who)):
        member = crew.who[lane]
        if member != NOBODY:
            busy = True
            epoch = members.epochs[member]
            count = min(count, members.last[member] - epoch)
            if crew.watched != 0:
                count = min(count, max(1, members.mark_epochs[member] + members.patience[member] - epoch))
            if crew.caps[lane] != 0:
                count = min(count, crew.caps[lane])
    return count if busy else -1


@kernel
def _keep(crew):
    """Keep what a lane would have to go back to."""
    size, slots = len(crew.params), len(crew.rule.slots)
    copy(crew.before, 0, crew.params, 0, size)
    if slots != 0:
        copy(crew.before, size, crew.rule.slots, 0, slots)
    copy(crew.before, size + slots, crew.marks, 0, len(crew.marks))
    copy(crew.powers_before, 0, crew.rule.powers, 0, len(crew.powers_before))


@kernel
def _go_back(crew, lane):
    """Put a lane where it was at the start of the stretch."""
    lanes, size, slots = lanes_of(crew.params), len(crew.params), len(crew.rule.slots)
    for p in range(lane, size, lanes):
        crew.params[p] = crew.before[p]
    for p in range(lane, slots, lanes):
        crew.rule.slots[p] = crew.before[size + p]
    crew.marks[lane] = crew.before[size + slots + lane]
    for p in range(lane, len(crew.powers_before), lanes):
        crew.rule.powers[p] = crew.powers_before[p]


@kernel
def _is_finite(crew, lane):
    """Whether all parameters of a lane are."""
    nothing = 0.0
    for p in range(lane, len(crew.params), lanes_of(crew.params)):
        nothing += crew.params[p] - crew.params[p]
    return nothing == 0.0


@kernel
def _see_to(crew, lane, made, passes):
    """After `made` epochs: by what the member of a lane is stopped, or RUNNING. Its cost is that of all rows unless `passes` and made > 0.

    Where its numbers are no longer finite, it goes back to the start of the stretch to find the last epoch after which they were, by
    halving: each further stretch is at most half as long, until the one that spoils them is a single epoch.
    """
    members, member, cost = crew.members, crew.who[lane], np.float64(crew.costs[lane])
    if made == 0 and members.stopped[member] != RUNNING:  # only its cost was wanted
        return members.stopped[member] if cost - cost == 0.0 else DIVERGED
    epoch = members.epochs[member] + made
    if made == 0 and passes and epoch < members.last[member]:  # only another one's cost was
        return RUNNING
    if cost - cost != 0.0 or not _is_finite(crew, lane):
        _go_back(crew, lane)
        crew.caps[lane] = made // 2
        if made <= 1:
            members.stopped[member], members.last[member] = DIVERGED, members.epochs[member]
        return RUNNING
    crew.caps[lane] = (crew.caps[lane] + 1) // 2
    if crew.watched != 0 and crew.marked[lane] >= 0.0:
        members.mark_epochs[member] = members.epochs[member] + np.int64(crew.marked[lane])
    members.epochs[member] = epoch
    if crew.watched != 0 and crew.costs[lane] <= crew.targets[lane]:
        return TARGET_COST
    if crew.watched != 0 and epoch - members.mark_epochs[member] >= members.patience[member]:
        return PATIENCE
    return EPOCHS if epoch >= members.last[member] else RUNNING


@inline
def train(steps, address, zero, limit):
    """Train members in the lanes of the Crew at an address for about `limit` epochs; a limit of 0 frees the lanes."""
    crew = crew_of(address, zero)
    members, passes, left = crew.members, crew.data.batches > 1 or crew.data.shuffled != 0, limit
    if limit == 0:
        disband(crew)
    while left > 0:
        for lane in range(len(crew.who)):
            if crew.who[lane] == NOBODY:
                _take_on(crew, lane)
        count = _length(crew, left)
        if count < 0:
            break
        _keep(crew)
        made = steps(crew, count)
        left -= made + 1
        for lane in range(len(crew.who)):
            member = crew.who[lane]
            reason = _see_to(crew, lane, made, passes) if member != NOBODY else RUNNING
            if reason == RUNNING:
                continue
            members.stopped[member], members.last[member] = reason, members.epochs[member]
            if made == 0 or not passes:  # otherwise its cost takes a pass of its own
                cost = np.float64(crew.costs[lane])
                members.costs[member] = cost if cost - cost == 0.0 else np.inf
                _move(crew, lane, member, False)
                crew.who[lane] = NOBODY


# -- what is called from the middle of an epoch --------------------------------------------------------------------------------------------


@kernel
def order_rows(crew, made):
    """Put every member's rows in the order of its epoch, which is the one of `train` by the same seed."""
    data, members, lanes = crew.data, crew.members, lanes_of(crew.params)
    if data.shuffled == 0:
        return
    for lane in range(lanes):
        member = max(crew.who[lane], 0)
        data.order[data.n] = -1
        put_in_order(data, members.seeds[member], members.epochs[member] + made)
        for place in range(data.n):
            crew.order[place * lanes + lane] = data.order[place]


@kernel
def gather_members(crew, start, rows, learning):
    """Copy places start ... start + rows of every member's order, or of the rows as they are, to its lane; with weights, if there are any,
    that sum to 1 over these rows, or over all.
    """
    data, members, lanes = crew.data, crew.members, lanes_of(crew.params)
    inputs, outputs = crew.net.widths[0], crew.net.widths[crew.net.layers]
    shuffled = learning and data.shuffled != 0
    for lane in range(lanes):
        member = max(crew.who[lane], 0)
        X, Y, weights = member * members.X_stride, member * members.Y_stride, member * members.weights_stride
        total = 0.0
        for s in range(rows):
            row = crew.order[(start + s) * lanes + lane] if shuffled else start + s
            for k in range(inputs):
                crew.x[(s * inputs + k) * lanes + lane] = data.X[X + row * inputs + k]
                stay_scalar()
            for k in range(outputs):
                crew.y[(s * outputs + k) * lanes + lane] = data.Y[Y + row * outputs + k]
                stay_scalar()
            if len(data.weights) != 0:
                crew.weight[s * lanes + lane] = data.weights[weights + row]
                total += data.weights[weights + row]
        if len(data.weights) != 0:
            if not learning:
                total = 0.0
                for row in range(data.n):
                    total += data.weights[weights + row]
            for s in range(rows):
                crew.weight[s * lanes + lane] /= total if total > 0 else 1.0


@kernel
def prepare_members(crew, made, batch_index):
    """Clip every member's gradient, add l2 w to that of weights, and set the rates by the schedule."""
    rule, members, gradient = crew.rule, crew.members, crew.gradient
    lanes, size = lanes_of(gradient), rule.size
    if rule.clip_norm < np.inf:
        total = broadcast(gradient, 0.0)
        for p in range(0, size, lanes):
            total += load(gradient, p) * load(gradient, p)
        factor = rule.clip_norm / (sqrt(total) + NORM_MARGIN)
        factor = where_negative(factor - 1.0, factor, like(factor, 1.0))
        for p in range(0, size, lanes):
            store(gradient, p, factor * load(gradient, p))
    add_decay(rule, crew.params, gradient, 0, size)
    if rule.schedule != 0 or rule.times[0] > 0:
        for lane in range(lanes):
            member = max(crew.who[lane], 0)
            t = (members.epochs[member] + made) * crew.data.batches + batch_index
            rate = rate_at(rule.schedule, members.rates[member], rule.times[0], rule.times[1], rule.times[2], t)
            crew.rates[lane] = rate if crew.who[lane] != NOBODY else 0.0


@kernel
def correct_members(crew):
    """Adam's powers one update on, and for every lane the rate and the eps that they make."""
    rule, lanes = crew.rule, len(crew.who)
    powers, eps = rule.powers, rule.numbers[2]
    for lane in range(0, lanes, lanes_of(powers)):
        first, second = load(powers, lane) * rule.numbers[0], load(powers, lanes + lane) * rule.numbers[1]
        store(powers, lane, first)
        store(powers, lanes + lane, second)
        root = sqrt(1.0 - second)
        store(crew.corrected, lane, load(crew.rates, lane) * (root / (1.0 - first)))
        store(crew.corrected, lanes + lane, eps * root)
