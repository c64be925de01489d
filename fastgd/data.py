"""Small data sets of the notes: the gates and "twice"."""

import numpy as np

from fastgd.checks import Array
from fastgd.names import GATES, check_name

_INPUTS = [[0, 0], [1, 0], [0, 1], [1, 1]]
_OUTPUTS = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nand": [1, 1, 1, 0],
    "nor": [1, 0, 0, 0],
    "xor": [0, 1, 1, 0],
    "xnor": [1, 0, 0, 1],
}


def gate(name: str) -> tuple[Array, Array]:
    """X (4, 2) and Y (4, 1) of a logic gate: and, or, nand, nor, xor or xnor."""
    check_name("gate", name, GATES)
    return np.array(_INPUTS, float), np.array(_OUTPUTS[name], float).reshape(4, 1)


def twice() -> tuple[Array, Array]:
    """X (5, 1) and Y (5, 1) = 2 X: the data of the notes' linear model."""
    x = np.arange(5.0).reshape(5, 1)
    return x, 2 * x
