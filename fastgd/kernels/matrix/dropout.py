"""Activations that are dropped: a = mask a forward, delta = mask delta backward. `perturbation`
draws the masks.
"""

from fastgd.machine.jit import kernel
from fastgd.machine.span import lanes_of, load, store


@kernel
def drop(net, work, stride, l):
    """Multiply the activations of hidden layer l, counted from 0, by their mask; as they were is
    kept for their derivative.
    """
    here, first = net.units_before[l + 1] * stride, net.widths[0] * stride
    for i in range(here, here + net.widths[l + 1] * stride, lanes_of(work.a)):
        a = load(work.a, i)
        store(work.whole, i - first, a)
        store(work.a, i, a * load(work.masks, i - first))


@kernel
def drop_delta(net, work, stride, l):
    """Multiply dC/da of hidden layer l by its mask, and have the activations as they were."""
    here, first = net.units_before[l + 1] * stride, net.widths[0] * stride
    for i in range(here, here + net.widths[l + 1] * stride, lanes_of(work.a)):
        store(work.delta, i, load(work.delta, i) * load(work.masks, i - first))
        store(work.a, i, load(work.whole, i - first))
