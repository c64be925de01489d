"""A group of lanes: members come, train for stretches of epochs, end, and make room for the next.

A kernel brings `steps(group, count)`: at most `count` epochs for all lanes, fewer where a lane has
to be settled; it returns how many it made, and leaves in `costs` those of the parameters as they
are. What a member computes depends neither on its lane nor on its neighbours, nor on where
stretches end: lanes do not mix, and members that have not ended are only looked at, never changed.
"""

import numpy as np

from fastgd.kernels.history import is_due, point_after, record
from fastgd.kernels.members import FLUSH, NOBODY, LaneGroup
from fastgd.kernels.plateau import ON_PLATEAU, look_for_plateau
from fastgd.machine.atomic import add
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import copy, lanes_of
from fastgd.machine.struct_view import viewer
from fastgd.state import (
    DIVERGED,
    EPOCH,
    EPOCHS,
    NEXT_RECORD,
    PATIENCE,
    PATIENCE_COST,
    PATIENCE_EPOCH,
    PLACES,
    RECORDED,
    RUNNING,
    STOPPED,
    STRIDE,
    SUMS,
    TARGET_COST,
    UPDATES,
    WIDE_VECTOR_BYTES,
)

_LONGEST = 1024  # epochs of a stretch

group_of = viewer(LaneGroup, WIDE_VECTOR_BYTES)


# -- members come and go ---------------------------------------------------------------------------


@inline
def _columns(lane_major, lane, lanes, member_major, start, count, arrives):
    """Copy a member's numbers to the column of its lane, or back."""
    for p in range(count):
        if arrives:
            lane_major[p * lanes + lane] = member_major[start + p]
        else:
            member_major[start + p] = lane_major[p * lanes + lane]


@kernel
def _move(group, lane, member, arrives):
    """What a member owns, from its place among all to its lane, or back."""
    members, lanes, n = group.members, lanes_of(group.params), group.net.n_params
    slots, place = len(group.rule.slots) // len(group.params), member * SUMS + PATIENCE_COST
    powers = len(group.rule.powers) // lanes
    _columns(group.params, lane, lanes, members.params, member * n, n, arrives)
    _columns(group.rule.slots, lane, lanes, members.slots, member * n * slots, n * slots, arrives)
    _columns(group.rule.powers, lane, lanes, members.powers, member * powers, powers, arrives)
    if arrives:
        group.patience_cost[lane] = members.sums[place]
    else:
        members.sums[place] = group.patience_cost[lane]


@kernel
def _put_rows(group, lane, member):
    """The rows of a member that has some of its own, for the whole course."""
    data, members, lanes = group.data, group.members, lanes_of(group.params)
    inputs, outputs = group.net.widths[0], group.net.widths[group.net.layers]
    _columns(group.x, lane, lanes, data.X, member * members.X_stride, data.n * inputs, True)
    _columns(group.y, lane, lanes, data.Y, member * members.Y_stride, data.n * outputs, True)
    if members.weights_stride != 0:
        total = 0.0
        for row in range(data.n):
            total += data.weights[member * members.weights_stride + row]
        for row in range(data.n):
            group.weight[row * lanes + lane] = (
                data.weights[member * members.weights_stride + row] / total
            )


@kernel
def _take_on(group, lane):
    """Put the next member who waits on a free lane; without one, the lane stands still at zeros."""
    members, lanes = group.members, lanes_of(group.params)
    place = add(members.taken, 0, 1)
    group.max_epochs[lane], group.known[lane] = 0, np.nan
    if place < len(members.waiting):
        member = members.waiting[place]
        group.member_of_lane[lane], group.rates[lane] = member, members.rates[member]
        group.targets[lane], group.min_delta[lane] = (
            members.targets[member],
            members.min_delta[member],
        )
        group.l2[lane], group.clip_norm[lane] = members.l2[member], members.clip_norm[member]
        group.l1[lane] = members.l1[member]
        numbers = len(group.numbers) // lanes
        _columns(group.numbers, lane, lanes, members.numbers, member * numbers, numbers, True)
        _move(group, lane, member, True)
        if len(group.x) != 0 and group.data.batches == 1 and group.data.shuffled == 0:
            _put_rows(group, lane, member)
        return
    group.member_of_lane[lane], group.rates[lane], group.targets[lane] = NOBODY, 0.0, -np.inf
    for p in range(lane, len(group.params), lanes):
        group.params[p] = 0.0
    for p in range(lane, len(group.rule.slots), lanes):
        group.rule.slots[p] = 0.0


@kernel
def flush(group):
    """Write back where every member stands, and free the lanes."""
    for lane in range(len(group.member_of_lane)):
        if group.member_of_lane[lane] != NOBODY:
            _move(group, lane, group.member_of_lane[lane], False)
            group.member_of_lane[lane] = NOBODY


# -- stretches -------------------------------------------------------------------------------------


@kernel
def _until_point(group, member, epoch, known, passes):
    """Epochs until a cost for the history may be wanted: that of a point is `known` at the start of
    a stretch, unless it is NaN; or with `passes` the mean one of a single epoch.
    """
    cursor, own = group.members.cursor, member * PLACES
    if epoch < cursor[own + NEXT_RECORD]:
        return cursor[own + NEXT_RECORD] - epoch
    if passes:
        return 1
    room = len(group.members.points) // len(group.members.seeds)
    points, stride = cursor[own + RECORDED] + 1, cursor[own + STRIDE]
    following = point_after(epoch, points, room, stride, group.growth)
    return following - epoch if known == known else 0


@kernel
def _length(group, limit, passes):
    """Epochs until a member may have to be seen to; -1 if all lanes are free."""
    members, count, busy = group.members, min(limit, _LONGEST), False
    for lane in range(len(group.member_of_lane)):
        member = group.member_of_lane[lane]
        if member != NOBODY:
            busy = True
            epoch = members.cursor[member * PLACES + EPOCH]
            count = min(count, members.last[member] - epoch)
            if members.schedules[member] == ON_PLATEAU:
                count = min(count, 1)
            if group.monitored != 0:
                better = members.cursor[member * PLACES + PATIENCE_EPOCH]
                count = min(count, max(1, better + members.patience[member] - epoch))
            if group.max_epochs[lane] != 0:
                count = min(count, group.max_epochs[lane])
            count = min(count, _until_point(group, member, epoch, group.known[lane], passes))
    return count if busy else -1


@kernel
def _keep(group):
    """Keep what a lane would have to go back to."""
    size, slots = len(group.params), len(group.rule.slots)
    copy(group.before, 0, group.params, 0, size)
    if slots != 0:
        copy(group.before, size, group.rule.slots, 0, slots)
    copy(group.before, size + slots, group.patience_cost, 0, len(group.patience_cost))
    copy(group.powers_before, 0, group.rule.powers, 0, len(group.powers_before))


@kernel
def _go_back(group, lane):
    """Put a lane where it was at the start of the stretch."""
    lanes, size, slots = lanes_of(group.params), len(group.params), len(group.rule.slots)
    for p in range(lane, size, lanes):
        group.params[p] = group.before[p]
    for p in range(lane, slots, lanes):
        group.rule.slots[p] = group.before[size + p]
    group.patience_cost[lane] = group.before[size + slots + lane]
    for p in range(lane, len(group.powers_before), lanes):
        group.rule.powers[p] = group.powers_before[p]


@kernel
def _is_finite(group, lane):
    """Whether all parameters of a lane are."""
    nothing = 0.0
    for p in range(lane, len(group.params), lanes_of(group.params)):
        nothing += group.params[p] - group.params[p]
    return nothing == 0.0


@kernel
def _settle(group, lane, made, passes):
    """After `made` epochs: by what the member of a lane is stopped, or RUNNING. Its cost is that of
    all rows unless `passes` and made > 0.

    Where its numbers are no longer finite, it goes back to the start of the stretch to find the
    last epoch after which they were, by halving: each further stretch is at most half as long,
    until the one that spoils them is a single epoch.
    """
    members, member, cost = group.members, group.member_of_lane[lane], np.float64(group.costs[lane])
    cursor, own = members.cursor, member * PLACES
    if made == 0 and cursor[own + STOPPED] != RUNNING:  # only its cost was wanted
        return cursor[own + STOPPED] if cost - cost == 0.0 else DIVERGED
    epoch = cursor[own + EPOCH] + made
    if made == 0 and passes and epoch < members.last[member]:  # only another one's cost was
        return RUNNING
    if cost - cost != 0.0 or not _is_finite(group, lane):
        _go_back(group, lane)
        group.max_epochs[lane] = made // 2
        if made <= 1:
            cursor[own + STOPPED], members.last[member] = DIVERGED, cursor[own + EPOCH]
        return RUNNING
    group.max_epochs[lane] = (group.max_epochs[lane] + 1) // 2
    better = np.int64(group.patience_epoch[lane])  # in the stretch
    if group.monitored != 0 and better >= 0:
        cursor[own + PATIENCE_EPOCH] = cursor[own + EPOCH] + better
    room, begun, growth = len(members.points) // len(members.seeds), epoch - made, group.growth
    first = member * room
    # a point belongs to the update that follows it
    if made > 0 and is_due(members, own, first, room, begun):
        of_begun = cost if passes else group.known[lane]
        record(members, own, first, room, begun, of_begun, np.nan, growth)
    cursor[own + EPOCH], group.known[lane] = epoch, cost
    cursor[own + UPDATES] += made * group.data.batches
    if members.schedules[member] == ON_PLATEAU and (made > 0 or not passes):
        at, numbers = member * len(members.plateau), member * len(members.times)
        count = len(members.seeds)
        look_for_plateau(
            members.plateau, at // count, members.times, numbers // count + 1, epoch, cost
        )
    reason = EPOCHS if epoch >= members.last[member] else RUNNING
    # the pass for a cost is no epoch's end
    monitored = group.monitored != 0 and (made > 0 or not passes)
    if monitored and group.costs[lane] <= group.targets[lane]:
        reason = TARGET_COST
    elif monitored and epoch - cursor[own + PATIENCE_EPOCH] >= members.patience[member]:
        reason = PATIENCE
    # what is due then is looked at before the rule
    ends_early = reason != RUNNING and not passes and epoch < members.last[member]
    if ends_early and is_due(members, own, first, room, epoch):
        record(members, own, first, room, epoch, cost, np.nan, growth)
    return reason


@inline
def train(steps, address, zero, limit):
    """Train members in the lanes of the LaneGroup at an address for about `limit` epochs, and until
    no divergence is being searched for, which would begin anew where lanes are freed in between; or
    free them.
    """
    group = group_of(address, zero)
    members, passes, left = group.members, group.data.batches > 1 or group.data.shuffled != 0, limit
    if group.command == FLUSH:
        flush(group)
    while left > 0:
        for lane in range(len(group.member_of_lane)):
            if group.member_of_lane[lane] == NOBODY:
                _take_on(group, lane)
        count = _length(group, left, passes)
        if count < 0:
            break
        _keep(group)
        made = steps(group, count)
        left -= made + 1
        for lane in range(len(group.member_of_lane)):
            member = group.member_of_lane[lane]
            reason = _settle(group, lane, made, passes) if member != NOBODY else RUNNING
            if reason == RUNNING:
                continue
            own = member * PLACES
            members.cursor[own + STOPPED] = reason
            members.last[member] = members.cursor[own + EPOCH]
            if made == 0 or not passes:  # otherwise its cost takes a pass of its own
                cost = np.float64(group.costs[lane])
                members.cost[member] = cost if cost - cost == 0.0 else np.inf
                _move(group, lane, member, False)
                group.member_of_lane[lane], group.max_epochs[lane] = NOBODY, 0
        for lane in range(len(group.member_of_lane)):
            if group.max_epochs[lane] != 0:
                left = max(left, group.max_epochs[lane])
