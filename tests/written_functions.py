"""Functions written down in every way, with what they compute by NumPy; and the built-in ones of one unit or output."""

import math

import numba
import numpy as np

from fastgd import numeric
from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES
from fastgd.numeric import log, where

OF_ONE_UNIT = [each for each in ACTIVATIONS.values() if not each.whole_layer]
OF_ONE_OUTPUT = [each for each in LOSSES.values() if not each.whole_layer]


def helper(z):
    return math.log1p(math.exp(-abs(z)))


def of_math(z):
    return max_of(z) + helper(z)


def max_of(z):
    return numeric.maximum(z, 0)


class Scaled:
    def __init__(self, factor):
        self.factor = factor

    def by(self, z):
        return self.factor * math.tanh(z)


WAYS = {  # a function, and what it computes by NumPy
    "arithmetic": (lambda z: (2 * z - z / 3 + 1) - -z, lambda z: (2 * z - z / 3 + 1) + z),
    "powers": (lambda z: z**2 + z**7 - z**-3 + abs(z) ** 0.5, lambda z: z**2 + z**7 - z**-3.0 + np.sqrt(np.abs(z))),
    "math": (of_math, lambda z: np.logaddexp(0, z)),
    "NumPy": (lambda z: np.tanh(np.float64(2) * z) * np.exp(-np.square(z)), lambda z: np.tanh(2 * z) * np.exp(-(z**2))),
    "where": (lambda z: where((z > -1) & ~(z >= 1) | (z == 2), z, 0.5), lambda z: np.where((z > -1) & (z < 1), z, 0.5)),
    "where of NumPy": (lambda z: np.where((z > -1) & (z < 1), z, 0.5), lambda z: np.where((z > -1) & (z < 1), z, 0.5)),
    "clip of NumPy": (lambda z: np.clip(z, -1, 0.5), lambda z: np.clip(z, -1, 0.5)),
    "where a number decides": (lambda z, k=2: where(k > 1, z, 0) + where(np.float64(k) < 1, 0, 1), lambda z: z + 1),
    "one that Numba has compiled": (numba.njit(max_of), lambda z: np.maximum(z, 0)),
    "a method": (Scaled(3).by, lambda z: 3 * np.tanh(z)),
    "two": (lambda z: numeric.maximum(z, -z) - numeric.minimum(2 * z, z), lambda z: np.abs(z) - np.minimum(2 * z, z)),
    "sign": (lambda z: numeric.sign(z) * z, np.abs),
    "a loop": (lambda z: sum(z**k / math.factorial(k) for k in range(5)), lambda z: sum(z**k / math.factorial(k) for k in range(5))),
    "fma": (lambda z: numeric.fma(z, 2.0, 1.0), lambda z: 2 * z + 1),
    "normal distribution": (
        lambda z: numeric.normal_cdf(z) - numeric.normal_pdf(2 * z),
        lambda z: np.array([0.5 * math.erfc(-v / math.sqrt(2)) - math.exp(-2 * v * v) / math.sqrt(2 * math.pi) for v in z]),
    ),
    "erf": (lambda z: numeric.erf(z), lambda z: np.array([math.erf(v) for v in z])),
    "all else": (
        lambda z: (
            numeric.expm1(0.1 * z) + numeric.log1p(abs(z)) + log(2 + z * z) + numeric.sqrt(1 + z * z) + numeric.sin(z) * numeric.cos(z)
        ),
        lambda z: np.expm1(0.1 * z) + np.log1p(np.abs(z)) + np.log(2 + z * z) + np.sqrt(1 + z * z) + np.sin(z) * np.cos(z),
    ),
    "sigmoid": (lambda z: numeric.sigmoid(z) * z, lambda z: z / (1 + np.exp(-z))),
}  # fmt: skip
