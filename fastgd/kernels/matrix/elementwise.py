"""What goes number by number over a block, by one function each: loops in which nothing is left to
decide.

By wide vectors where it can be: an activation is a long chain of operations, of which a processor
has more under way at a time.
"""

from typing import Any

from fastgd.machine.jit import merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, in_wide_vectors, lanes_of, load, store


def over_all(function: Any) -> Any:
    """a = f(z) from start to stop by one f."""

    @merged
    def activate(z, a, start, stop):
        wide_z, wide_a = in_wide_vectors(z), in_wide_vectors(a)
        i, wide = start, lanes_of(wide_a)
        while i + wide <= stop:
            store(wide_a, i, function(load(wide_z, i)))
            i += wide
        if i < stop:
            store(a, i, function(load(z, i)))

    return activate


def times_all(derivative: Any) -> Any:
    """delta = factor delta f'(z) from start to stop by one f'."""

    @merged
    def multiply_by_it(z, a, delta, start, stop, factor):
        wide_a, wide_z, wide_delta = in_wide_vectors(a), in_wide_vectors(z), in_wide_vectors(delta)
        i, wide = start, lanes_of(wide_a)
        while i + wide <= stop:
            slope = derivative(load(wide_z, i), load(wide_a, i))
            store(wide_delta, i, factor * load(wide_delta, i) * slope)
            i += wide
        if i < stop:
            store(delta, i, factor * load(delta, i) * derivative(load(z, i), load(a, i)))

    return multiply_by_it


@merged
def all_finite(span, start, count):
    """Whether all numbers of span[start : start + count] are: what they less themselves sum to is 0
    then, and NaN otherwise.
    """
    wide = in_wide_vectors(span)
    lanes, i, stop = lanes_of(wide), start, start + count
    sum_0, sum_1, rest = broadcast(wide, 0.0), broadcast(wide, 0.0), 0.0
    sum_2, sum_3 = sum_0, sum_1
    while i + 4 * lanes <= stop:
        v_0, v_1 = load(wide, i), load(wide, i + lanes)
        v_2, v_3 = load(wide, i + 2 * lanes), load(wide, i + 3 * lanes)
        sum_0 += v_0 - v_0
        sum_1 += v_1 - v_1
        sum_2 += v_2 - v_2
        sum_3 += v_3 - v_3
        i += 4 * lanes
    while i < stop:
        rest += span[i] - span[i]
        i += 1
    return lane_sum((sum_0 + sum_1) + (sum_2 + sum_3)) + rest == 0.0


def summed(loss_of: Any) -> Any:
    """The sum of a loss over the outputs of a vector of samples, which are `stride` apart from
    first to last; those of z and a lie behind `here`.

    Each loss has a loop of its own: where it would be chosen inside, its last product could not be
    fused with the sum.
    """

    @merged
    def total(z, a, y, here, first, last, stride):
        loss = broadcast(a, 0.0)
        for k in range(first, last, stride):
            loss += loss_of(load(z, here + k), load(a, here + k), load(y, k))
        return loss

    return total


def summed_pairs(loss_of: Any) -> Any:
    """Likewise, of a loss of two outputs, the second of which is in the second half of them."""

    @merged
    def total(z, a, y, here, first, last, stride):
        loss, half = broadcast(a, 0.0), (last - first) // 2
        for k in range(first, first + half, stride):
            loss += loss_of(load(a, here + k), load(a, here + half + k), load(y, k))
        return loss

    return total


def weighed(total: Any) -> Any:
    """The sum over a block of weight times loss, of a `summed` one."""

    @merged
    def cost_of(z, a, y, weight, here, size, stride):
        cost = broadcast(a, 0.0)
        for s in range(0, stride, lanes_of(a)):
            cost += load(weight, s) * total(z, a, y, here, s, s + size, stride)
        return lane_sum(cost)

    return cost_of


def differentiated(slope: Any) -> Any:
    """delta = weight times a loss's derivative, of all outputs of a block."""

    @merged
    def put(a, y, weight, delta, here, size, stride):
        for s in range(0, stride, lanes_of(a)):
            w = load(weight, s)
            for k in range(s, s + size, stride):
                store(delta, here + k, w * slope(load(a, here + k), load(y, k)))

    return put


def differentiated_pairs(slope: Any, slope_by_b: Any) -> Any:
    """Likewise, of a loss of two outputs, the second of which is in the second half of them."""

    @merged
    def put(a, y, weight, delta, here, size, stride):
        half = size // 2
        for s in range(0, stride, lanes_of(a)):
            w = load(weight, s)
            for k in range(s, s + half, stride):
                one, other, target = load(a, here + k), load(a, here + half + k), load(y, k)
                store(delta, here + k, w * slope(one, other, target))
                store(delta, here + half + k, w * slope_by_b(one, other, target))

    return put
