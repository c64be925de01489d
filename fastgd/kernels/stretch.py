"""Updates of several members, each made by the loop of one, with what another library's rules look
at and change before each: what the squares of the weights sum to, and Adam's eps.
"""

import math

import numpy as np

from fastgd.kernels.epoch import problem_of
from fastgd.kernels.structs import Stretch
from fastgd.machine.call import call
from fastgd.machine.jit import inline, kernel
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, in_wide_vectors, lanes_of, load
from fastgd.machine.struct_view import viewer

_BETA2, _EPS, _POWER2 = 1, 2, 1  # places in Adam's numbers and powers

stretch_of = viewer(Stretch)


@kernel
def squared_weights(net, params):
    """The sum of the squares of all weights, biases left out."""
    wide = in_wide_vectors(params)
    lanes, rest = lanes_of(wide), 0.0
    sum_0, sum_1 = broadcast(wide, 0.0), broadcast(wide, 0.0)
    sum_2, sum_3 = sum_0, sum_1
    for l in range(net.layers):
        i = net.weights[l]
        stop = i + net.widths[l] * net.widths[l + 1]
        while i + 4 * lanes <= stop:
            v_0, v_1 = load(wide, i), load(wide, i + lanes)
            v_2, v_3 = load(wide, i + 2 * lanes), load(wide, i + 3 * lanes)
            sum_0 += v_0 * v_0
            sum_1 += v_1 * v_1
            sum_2 += v_2 * v_2
            sum_3 += v_3 * v_3
            i += 4 * lanes
        while i + lanes <= stop:
            v_0 = load(wide, i)
            sum_0 += v_0 * v_0
            i += lanes
        while i < stop:
            rest += params[i] * params[i]
            i += 1
    return lane_sum((sum_0 + sum_1) + (sum_2 + sum_3)) + rest


@inline
def train_members(address, zero, limit):
    """`limit` updates of each member that the Stretch at an address speaks of.

    Adam's moments begin at 0. An eps of the root after the correction for that is eps / sqrt(1 -
    beta2^t) before it, where the loop has it.
    """
    stretch = stretch_of(address, zero)
    for i in range(len(stretch.problems)):
        member, problem = stretch.places[i], problem_of(stretch.problems[i], zero)
        numbers, powers = problem.rule.numbers, problem.rule.powers
        for _ in range(limit):
            if len(stretch.eps) != 0:
                missing = 1.0 - numbers[_BETA2] * powers[_POWER2]
                numbers[_EPS] = stretch.eps[member] / math.sqrt(missing)
            if len(stretch.squares) != 0:
                stretch.squares[member] += squared_weights(problem.net, problem.params)
            call(stretch.train, problem, np.int64(1))
