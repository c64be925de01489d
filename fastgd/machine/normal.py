"""The normal distribution's density, and its share below x, within the rounding of their largest
values.

The share below -u is the density there times Mills' ratio, for which a quotient of polynomials is
known before the density is. The numbers are printed by scripts/polynomials.py.
"""

import math

from fastgd.machine.elementary import EXP_TAIL, STEP_TAIL, define, polynomial, power_of_rest
from fastgd.machine.value import Value

# Mills' ratio at u: the share below -u, by the density; constant term first
_ABOVE = {
    64: (
        1.2533141373155003, 1.2585435343041134, 0.6374598215300081, 0.19281920357751517,
        0.036227867860706656, 0.003979173914838551, 0.00020024490259301983,
    ),
    32: (1.2533141366568306, 0.7462756212657197, 0.21667045405927618, 0.02489429982855115),
}  # fmt: skip
_BELOW = {
    64: (
        1.0, 1.802057015922399, 1.4464528204215006, 0.6728828512175787, 0.1968399079551303,
        0.03642498774984662, 0.003979327815573618, 0.0002002411754414988,
    ),
    32: (1.0, 1.3933263003863317, 0.7845925227347489, 0.21516911767550512, 0.024975861555439172),
}  # fmt: skip
_LARGEST = 1 / math.sqrt(2 * math.pi)  # of the density


def _size(x: Value) -> Value:
    """x without its sign, up to where the density is half the smallest normal number, and 0."""
    return x.abs().at_most(math.sqrt(2 * x.format.bias * math.log(2)))


def _density_by_octaves(x: Value) -> Value:
    # 2^n e^(-w / 2), n 2 ln 2 - w = -x^2: what fl(ln 2) lacks is no part of the largest
    f, tail = x.format, EXP_TAIL[x.format.bits]
    square = _size(x) * _size(x)
    shifted = square * (-0.5 / math.log(2)) + f.round_magic
    w = (shifted - f.round_magic).fma(2 * f.ln2_high, square)
    series = [_LARGEST * (-0.5) ** k * c for k, c in enumerate((1.0, 1.0, *tail))]
    return shifted.power_of_two(0) * polynomial(w, tuple(series))


def _density_by_table(x: Value) -> Value:
    # 2^(n / steps) 2^(r / steps), n + r = -x^2 steps / (2 ln 2): what its rounding takes from small
    # densities is no part of the largest
    f, steps = x.format, x.steps
    tail = tuple(_LARGEST * c for c in STEP_TAIL[f.bits])
    y = _size(x) * _size(x) * (-0.5 * steps / math.log(2))
    power = (y + f.round_magic).power_of_steps()
    return power * power_of_rest(-y.less_nearest(), tail, _LARGEST)


def _normal_pdf(x: Value) -> Value:
    if not x.looks_up:
        return _density_by_octaves(x)
    return _density_by_table(x) if x.is_vector else _density_by_table(x.as_vector()).first_lane()


def _normal_cdf(x: Value) -> Value:
    bits, size = x.format.bits, _size(x)
    ratio = polynomial(size, _ABOVE[bits]) / polynomial(size, _BELOW[bits])
    share = _normal_pdf(x) * ratio
    return x.where("<", 0.0, share, 1.0 - share)


normal_pdf = define("normal_pdf", _normal_pdf, "The normal distribution's density at x.")
normal_cdf = define("normal_cdf", _normal_cdf, "The normal distribution's share below x.")
