"""Loops of a tangent pass, by activations and losses that are known when it is compiled: pairs of a
first and a second derivative.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastgd.formulas.compiled import CROSS_ENTROPY, SOFTMAX
from fastgd.machine.dispatch import by_number
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import broadcast, lanes_of, load, store

Pairs = Sequence[tuple[Callable[..., Any], Callable[..., Any]]]


def following(activations: Pairs) -> Any:
    """`follow(number, z, a, dz, da, start, stop)`: da = f'(z) dz from start to stop."""

    def by(slope):
        @merged
        def follow(z, a, dz, da, start, stop):
            for i in range(start, stop, lanes_of(a)):
                store(da, i, slope(load(z, i), load(a, i)) * load(dz, i))

        return follow

    loops = {i: by(slope) for i, (slope, _) in enumerate(activations)}
    return by_number(loops, "z, a, dz, da, start, stop")


def multiplying(activations: Pairs) -> Any:
    """`multiply(number, z, a, dz, delta, change, start, stop)`: delta = dC/da f'(z) and its
    tangent, in which dC/da changes and z does.
    """

    def by(slope, bend):
        @merged
        def multiply(z, a, dz, delta, change, start, stop):
            for i in range(start, stop, lanes_of(a)):
                rise, before = slope(load(z, i), load(a, i)), load(delta, i)
                bent = before * (bend(load(z, i), load(a, i)) * load(dz, i))
                store(change, i, load(change, i) * rise + bent)
                store(delta, i, before * rise)

        return multiply

    loops = {i: by(*pair) for i, pair in enumerate(activations)}
    return by_number(loops, "z, a, dz, delta, change, start, stop")


def of_output(activations: Pairs, losses: Pairs) -> Any:
    """`output(net, work, by_a, target, stride, activation, loss, by_z)`: the tangent of the last
    layer's delta, see `costs.output_delta`.
    """
    slope_of = by_number({i: slope for i, (slope, _) in enumerate(activations)}, "z, a")
    bend_of = by_number({i: bend for i, (_, bend) in enumerate(activations)}, "z, a")
    loss_slope = by_number({i: slope for i, (slope, _) in enumerate(losses)}, "a, y")
    loss_bend = by_number({i: bend for i, (_, bend) in enumerate(losses)}, "a, y")

    @kernel
    def output(net, work, by_a, target, stride, activation, loss, by_z):
        z, a, y, dz, da = work.z, work.a, work.y, by_a.z, by_a.a
        here, size = net.units_before[net.layers] * stride, net.widths[net.layers] * stride
        softmax = by_z == 0 and net.activations[net.layers - 1] == SOFTMAX
        for s in range(0, stride, lanes_of(a)):
            targets, mean, change = broadcast(a, 0.0), broadcast(a, 0.0), broadcast(a, 0.0)
            for k in range(s, s + size, stride):
                out, moved, aim = load(a, here + k), load(da, here + k), load(y, k)
                targets += aim * net.target_share + net.target_rest
                if softmax:
                    rise = loss_slope(loss, out, aim)
                    mean += out * rise
                    change += moved * rise + out * (loss_bend(loss, out, aim) * moved)
            for k in range(s, s + size, stride):
                i = here + k
                out, moved, aim = load(a, i), load(da, i), load(y, k)
                if net.loss == CROSS_ENTROPY:
                    result = targets * moved
                else:
                    result = loss_bend(loss, out, aim) * moved
                    rise = loss_slope(loss, out, aim)
                    if softmax:
                        result = moved * (rise - mean) + out * (result - change)
                    elif by_z == 0:
                        bent = bend_of(activation, load(z, i), out) * load(dz, i)
                        result = result * slope_of(activation, load(z, i), out) + rise * bent
                store(target, i, load(work.weight, s) * result)

    return output
