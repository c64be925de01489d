"""What chance does to the rows of a block, as a kernel that the matrix kernel calls where there is
some: which activations are dropped, and noise on inputs. And weights shortened to their largest
norm.

All of it is a function of the seed, the epoch, the row and the unit, by a hash of them, so it does
not depend on blocks, batches, threads, or on where a training goes on.
"""

import math

import numpy as np

from fastgd.kernels.codes import BOUND, MOST_ROWS
from fastgd.kernels.rows import mix
from fastgd.machine.elementary import cos, log, sqrt
from fastgd.machine.jit import kernel, merged
from fastgd.machine.span import lanes_of, load, store
from fastgd.machine.vector import like

_GOLDEN, _STREAM = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


@merged
def _hash(key, number):
    """A well-mixed uint64 of two numbers."""
    return mix(key + _GOLDEN * (np.uint64(number) + np.uint64(1)))


@kernel
def _draw_keys(problem, start, rows, stride):
    """A key for each sample of a block, of the seed, the epoch and its row; padding has the first's
    own.
    """
    data, keys = problem.data, problem.work.keys
    key = _hash(_hash(_STREAM, problem.course.seed), problem.noise.epoch[0])
    for s in range(stride):
        place = start + (s if s < rows else 0)
        row = data.order[place] if data.shuffled != 0 else place
        keys[s] = np.int64(_hash(key, row))


@kernel
def _draw_masks(problem, stride):
    """For each activation of hidden layers 0, or 1 / (1 - share)."""
    net, work, shares = problem.net, problem.work, problem.noise.shares
    keys, masks = work.keys, work.masks
    for l in range(1, net.layers):
        share, here = shares[l - 1], (net.units_before[l] - net.widths[0]) * stride
        bound, kept = np.uint64(share * 2.0**32), 1.0 / (1.0 - share)
        for j in range(net.widths[l]):
            unit = net.units_before[l] + j
            for s in range(stride):
                chance = _hash(np.uint64(keys[s]), unit) >> np.uint64(32)
                masks[here + j * stride + s] = kept if chance >= bound else 0.0


@kernel
def _add_noise(problem, stride):
    """Add a normal number to each input, in the block and in the rows as they lie (Box and Muller,
    by two halves of one hash).
    """
    net, work, deviation = problem.net, problem.work, problem.noise.deviation
    a, keys, uniform, lanes = work.a, work.keys, work.uniform, lanes_of(work.a)
    inputs, of_angle = net.widths[0], stride
    for k in range(inputs):
        for s in range(stride):
            chance = _hash(np.uint64(keys[s]), k)
            uniform[s] = (float(chance >> np.uint64(40)) + 1.0) * 2.0**-24
            uniform[of_angle + s] = float(chance & np.uint64(0xFFFFFF)) * (math.pi * 2.0**-23)
        for s in range(0, stride, lanes):
            radius = sqrt(like(load(a, s), -2.0) * log(load(uniform, s)))
            normal = radius * cos(load(uniform, of_angle + s))
            store(a, k * stride + s, load(a, k * stride + s) + deviation * normal)
        if inputs >= lanes:
            for s in range(stride):
                work.rows[s * inputs + k] = a[k * stride + s]


@kernel
def _shorten(problem):
    """Bring the norm of the weights that come into each unit down to the largest one."""
    net, params, most = problem.net, problem.params, problem.noise.max_norm
    for l in range(net.layers):
        inputs = net.widths[l]
        for j in range(net.widths[l + 1]):
            first, square = net.weights[l] + j * inputs, 0.0
            for i in range(first, first + inputs):
                square += np.float64(params[i]) * np.float64(params[i])
            if square > most * most:
                factor = most / math.sqrt(square)
                for i in range(first, first + inputs):
                    params[i] = factor * params[i]


@merged
def perturb(problem, limit):
    """Draw what chance does to so many rows from a place of the order on, or shorten weights."""
    if limit == BOUND:
        _shorten(problem)
    else:
        lanes, rows = lanes_of(problem.work.a), limit % MOST_ROWS
        stride = (rows + lanes - 1) // lanes * lanes
        _draw_keys(problem, limit // MOST_ROWS, rows, stride)
        if len(problem.work.masks) != 0:
            _draw_masks(problem, stride)
        if problem.noise.deviation != 0.0:
            _add_noise(problem, stride)
