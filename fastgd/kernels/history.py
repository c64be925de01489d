"""The points of a history: when the next one is due, and how there comes to be room for it.

Arrays may be those of all members of an ensemble; a member's cursor starts at `at`, its points at
`first`, and it has room for `room` of them.
"""

import numpy as np

from fastgd.machine.jit import kernel, merged
from fastgd.state import MOST, NEXT_RECORD, NON_FINITE, RECORDED, STRIDE

FAR = 2**40  # epochs: further than one call goes


@merged
def point_after(epoch, points, room, stride, growth):
    """When the next point of a history is due, which has so many points, the latest at `epoch`;
    MOST if it is never to have one more.
    """
    if growth == 0.0:
        distance, only = stride, 1  # points that can't be thinned out
    else:
        further = epoch * growth
        distance, only = np.int64(further if further < FAR else FAR) + 1, room
    return MOST if points == only and points == room else epoch + distance


@kernel
def is_due(course, at, first, room, epoch):
    """Whether the cost of an epoch is to be a point. Where there is no room for it, every other
    point of the evenly spaced history goes first, and the distance between them doubles.
    """
    cursor, points, costs, held_out = course.cursor, course.points, course.costs, course.held_out
    while epoch == cursor[at + NEXT_RECORD] and cursor[at + RECORDED] == room:
        stride, kept = 2 * cursor[at + STRIDE], 0
        for i in range(first, first + room):
            if points[i] % stride == 0:
                points[first + kept], costs[first + kept] = points[i], costs[i]
                if len(held_out) != 0:
                    held_out[first + kept] = held_out[i]
                kept += 1
        cursor[at + RECORDED], cursor[at + STRIDE] = kept, stride
        cursor[at + NEXT_RECORD] = (epoch + stride - 1) // stride * stride
    return epoch == cursor[at + NEXT_RECORD]


@merged
def record(course, at, first, room, epoch, cost, held_out, growth):
    """A point, for which there is room: its cost, and that of the validation rows if there are
    any.
    """
    cursor = course.cursor
    i = cursor[at + RECORDED]
    course.points[first + i], course.costs[first + i] = epoch, cost
    if len(course.held_out) != 0:
        course.held_out[first + i] = held_out
    if cost - cost != 0.0:  # inf or NaN
        cursor[at + NON_FINITE] = 1
    cursor[at + RECORDED] = i + 1
    cursor[at + NEXT_RECORD] = point_after(epoch, i + 1, room, cursor[at + STRIDE], growth)
