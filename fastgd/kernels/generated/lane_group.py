"""The course of a crew: members come to lanes, train for stretches of epochs, end each at its own epoch, and make room for the next.

A kernel brings `steps(crew, count)`: at most `count` epochs for all lanes, fewer where a lane has to be seen to; it returns how many it
made, and leaves in `costs` those of the parameters as they are. What a member computes depends neither on its lane nor on its neighbours,
nor on where stretches end: lanes do not mix, and members that have not ended are only looked at, never changed.
"""

import numpy as np

from fastgd.kernels.epoch import point_after
from fastgd.kernels.members import (
    DIVERGED,
    EPOCHS,
    NEXT_POINT,
    NOBODY,
    PATIENCE,
    POINTS,
    RUNNING,
    STRIDE,
    TARGET_COST,
    Crew,
)
from fastgd.machine.atomic import add
from fastgd.machine.jit import inline, kernel
from fastgd.machine.span import copy, lanes_of
from fastgd.machine.struct_view import viewer
from fastgd.state import WIDE_VECTOR_BYTES

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
    crew.caps[lane], crew.known[lane] = 0, np.nan
    if place < len(members.waiting):
        member = members.waiting[place]
        crew.who[lane], crew.rates[lane] = member, members.rates[member]
        crew.targets[lane], crew.min_delta[lane] = members.targets[member], members.min_delta[member]
        crew.l2[lane], crew.clip_norm[lane] = members.l2[member], members.clip_norm[member]
        numbers = len(crew.numbers) // lanes
        _columns(crew.numbers, lane, lanes, members.numbers, member * numbers, numbers, True)
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
def _until_point(crew, member, epoch, known, passes):
    """Epochs until a cost for the history may be wanted. That of a point is the one `known` at the start of a stretch, which none is yet
    if it is NaN; or with `passes` the mean one of a single epoch.
    """
    members, own = crew.members, 3 * member
    points, due, stride = members.recorded[own + POINTS], members.recorded[own + NEXT_POINT], members.recorded[own + STRIDE]
    if epoch < due:
        return due - epoch
    if passes:
        return 1
    room = len(members.points) // len(members.seeds)
    return point_after(epoch, points + 1, room, stride, crew.growth) - epoch if known == known else 0


@kernel
def _length(crew, limit, passes):
    """Epochs until a member may have to be seen to; -1 if all lanes are free."""
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
            count = min(count, _until_point(crew, member, epoch, crew.known[lane], passes))
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
def _record(crew, member, epoch, cost):
    """A point of a member's history, if one is due. Where there is no room, every other one goes, and the distance between them doubles."""
    recorded, points, history = crew.members.recorded, crew.members.points, crew.members.history
    room, own = len(points) // len(crew.members.seeds), 3 * member
    first = member * room
    if epoch == recorded[own + NEXT_POINT] and recorded[own + POINTS] == room:
        stride, kept = 2 * recorded[own + STRIDE], 0
        for i in range(first, first + room):
            if points[i] % stride == 0:
                points[first + kept], history[first + kept] = points[i], history[i]
                kept += 1
        recorded[own + POINTS], recorded[own + NEXT_POINT], recorded[own + STRIDE] = kept, (epoch + stride - 1) // stride * stride, stride
    if epoch == recorded[own + NEXT_POINT]:
        i = recorded[own + POINTS]
        points[first + i], history[first + i] = epoch, cost
        recorded[own + POINTS] = i + 1
        recorded[own + NEXT_POINT] = point_after(epoch, i + 1, room, recorded[own + STRIDE], crew.growth)


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
    if made > 0:  # a point belongs to the update that follows it
        _record(crew, member, members.epochs[member], cost if passes else crew.known[lane])
    members.epochs[member], crew.known[lane] = epoch, cost
    members.updates[member] += made * crew.data.batches
    reason = EPOCHS if epoch >= members.last[member] else RUNNING
    watched = crew.watched != 0 and (made > 0 or not passes)  # the pass for a cost is no epoch's end
    if watched and crew.costs[lane] <= crew.targets[lane]:
        reason = TARGET_COST
    elif watched and epoch - members.mark_epochs[member] >= members.patience[member]:
        reason = PATIENCE
    if reason != RUNNING and not passes and epoch < members.last[member]:  # what is due then is looked at before the rule
        _record(crew, member, epoch, cost)
    return reason


@inline
def train(steps, address, zero, limit):
    """Train members in the lanes of the Crew at an address for about `limit` epochs, and until no divergence is being searched for, which
    would begin anew where lanes are freed in between; a limit of 0 frees them.
    """
    crew = crew_of(address, zero)
    members, passes, left = crew.members, crew.data.batches > 1 or crew.data.shuffled != 0, limit
    if limit == 0:
        disband(crew)
    while left > 0:
        for lane in range(len(crew.who)):
            if crew.who[lane] == NOBODY:
                _take_on(crew, lane)
        count = _length(crew, left, passes)
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
                crew.who[lane], crew.caps[lane] = NOBODY, 0
        for lane in range(len(crew.who)):
            if crew.caps[lane] != 0:
                left = max(left, crew.caps[lane])
