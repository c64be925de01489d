"""Small networks by every activation and loss, and rows and parameters for them."""

import numpy as np
from conftest import random_problem

import fastgd
from fastgd.activations import ACTIVATIONS
from fastgd.losses import LOSSES
from fastgd.names import METHODS

UNITS = [name for name, each in ACTIVATIONS.items() if not each.whole_layer]
OF_VALUES = [name for name, each in LOSSES.items() if each.output is None]
OF_ONE = {name: each.output.name for name, each in LOSSES.items() if each.output is not None}
SMALL = {"exp": 0.3, "square": 0.5}  # by which parameters are made smaller, so that nothing explodes


def networks(dtype, widths=(2, 3, 2)):
    """Each activation hidden and at the output with each loss of values, and hidden with each other loss."""
    for hidden in UNITS:
        for loss in OF_VALUES:
            yield fastgd.MLP(*widths, activation=hidden, loss=loss, dtype=dtype)
        for loss, output in OF_ONE.items():
            yield fastgd.MLP(*widths, activation=hidden, output=output, loss=loss, dtype=dtype)
    for loss in OF_VALUES:
        yield fastgd.MLP(*widths, activation="tanh", output="softmax", loss=loss, dtype=dtype)


def methods_of(net):
    return [each for each in METHODS if each != "layerwise" or net.loss == "squared_error"]


def problem_of(net, n=7):
    X, Y, params = random_problem(net, n)
    return X, Y, params * net.dtype.type(min(SMALL.get(name, 1.0) for name in net.activations))


def assert_near(ours, theirs, bound, net):
    assert np.max(np.abs(np.asarray(ours, float) - theirs) / (1 + np.abs(theirs))) < bound, net
