"""Layers of one row as loops over parameters where they lie: W times a vector, a vector times W,
the product of two vectors.

Widths and places are literals where these are called: they are merged into the code of one network.
W of a layer is at w[first], b at w[biases] if that is not negative. Vectors are at places of `a`,
with `room` for each. Where the inputs are no whole vectors, the last one of a row reaches back.
"""

from fastgd.machine.dots import ROWS, add_dots
from fastgd.machine.elementary import exp
from fastgd.machine.jit import merged
from fastgd.machine.lane_sums import lane_sum
from fastgd.machine.span import broadcast, copy, lanes_of, load, store
from fastgd.machine.vector import first_lanes

LANES = 16  # of a vector, at most
FEW = 4  # numbers behind whole vectors, up to which it takes less to add one by one


def room(units: int) -> int:
    """How many numbers a vector of so many units needs: whole vectors, and one more."""
    return (-(-units // LANES) + 1) * LANES


@merged
def multiply(w, first, biases, units, inputs, a, x, z):
    """z_j = b_j + the sum over k of W_jk x_k, notes 002 (45)."""
    lanes = lanes_of(w)
    whole, rest = inputs // lanes * lanes, x + (inputs + LANES - 1) // LANES * LANES
    single = inputs if inputs - whole < FEW or whole == 0 else whole  # where the last vector begins
    if single < inputs:  # what no whole vector has, at the end of one that is 0 before
        behind, counted = load(a, x + inputs - lanes), lanes - inputs + whole
        store(a, rest, first_lanes(broadcast(a, 0.0), counted, behind))
    for j in range(0, units, ROWS):
        j = max(min(j, units - ROWS), 0)
        count, row, to = min(units, ROWS), first + j * inputs, z + j
        _begin(w, biases, a, to, j, count)
        for i in range(count):
            total = a[to + i]
            for k in range(whole, single):
                total += w[row + i * inputs + k] * a[x + k]
            a[to + i] = total
        if units >= ROWS and whole > 0:
            add_dots(w, row, inputs, a, x, whole, a, to, a, to, 1)
            if single < inputs:
                add_dots(w, row + inputs - lanes, inputs, a, rest, lanes, a, to, a, to, 1)
        elif whole > 0:
            for i in range(count):
                a[to + i] += _dot(w, row + i * inputs, whole, a, x)
                if single < inputs:
                    of_rest = load(w, row + (i + 1) * inputs - lanes) * load(a, rest)
                    a[to + i] += lane_sum(of_rest)


@merged
def _begin(w, biases, a, z, j, count):
    """The biases of units j ... j + count at a[z], or 0."""
    if biases >= 0:
        copy(a, z, w, biases + j, count)
    else:
        for i in range(z, z + count):
            a[i] = 0.0


@merged
def _dot(w, row, count, a, x):
    """The sum over k < count, whole vectors, of w[row + k] a[x + k]: of four sums, which do not
    wait for each other.
    """
    nothing, lanes = broadcast(w, 0.0), lanes_of(w)
    s_0, s_1, s_2, s_3 = nothing, nothing, nothing, nothing
    fours = count // (4 * lanes) * (4 * lanes)
    for k in range(0, fours, 4 * lanes):
        s_0 += load(w, row + k) * load(a, x + k)
        s_1 += load(w, row + k + lanes) * load(a, x + k + lanes)
        s_2 += load(w, row + k + 2 * lanes) * load(a, x + k + 2 * lanes)
        s_3 += load(w, row + k + 3 * lanes) * load(a, x + k + 3 * lanes)
    for k in range(fours, count, lanes):
        s_0 += load(w, row + k) * load(a, x + k)
    return lane_sum((s_0 + s_1) + (s_2 + s_3))


@merged
def multiply_back(w, first, units, inputs, a, delta, da):
    """da_k = the sum over j of W_jk delta_j, notes 002 (52)."""
    lanes, last = lanes_of(w), inputs - lanes_of(w)
    if last < 0:
        for k in range(inputs):
            total = a[delta] * w[first + k]
            for j in range(1, units):
                total += a[delta + j] * w[first + j * inputs + k]
            a[da + k] = total
        return
    nothing = broadcast(w, 0.0)
    for k in range(0, inputs, 4 * lanes):
        k_0, k_1 = min(k, last), min(k + lanes, last)
        k_2, k_3 = min(k + 2 * lanes, last), min(k + 3 * lanes, last)
        s_0, s_1, s_2, s_3 = nothing, nothing, nothing, nothing
        for j in range(units):
            row, delta_j = first + j * inputs, broadcast(w, a[delta + j])
            s_0 += delta_j * load(w, row + k_0)
            s_1 += delta_j * load(w, row + k_1)
            s_2 += delta_j * load(w, row + k_2)
            s_3 += delta_j * load(w, row + k_3)
        store(a, da + k_0, s_0)
        store(a, da + k_1, s_1)
        store(a, da + k_2, s_2)
        store(a, da + k_3, s_3)


@merged
def write_gradient(w, first, biases, units, inputs, a, delta, x):
    """dC/dW_jk = delta_j x_k at w[first], dC/db = delta at w[biases], notes 002 (50), (51)."""
    lanes, last = lanes_of(w), inputs - lanes_of(w)
    if biases >= 0:
        copy(w, biases, a, delta, units)
    for j in range(units):
        row = first + j * inputs
        if last < 0:
            for k in range(inputs):
                w[row + k] = a[delta + j] * a[x + k]
        else:
            delta_j = broadcast(w, a[delta + j])
            for k in range(0, inputs, lanes):
                k = min(k, last)
                store(w, row + k, delta_j * load(a, x + k))


@merged
def softmax(a, z, to, units):
    """a_k = exp z_k / sum exp z at a[to]; the largest z, and the sum of exp(z - largest)."""
    largest, total, lanes = a[z], a[z] - a[z], lanes_of(a)
    for j in range(z, z + units):
        largest = max(largest, a[j])
    for j in range(0, units, lanes):
        store(a, to + j, exp(load(a, z + j) - largest))
    for j in range(to, to + units):
        total += a[j]
    for j in range(0, units, lanes):
        store(a, to + j, load(a, to + j) / total)
    return largest, total
