"""train_many: what is refused, before anything is compiled."""

import numpy as np
import pytest
from conftest import assert_refused

import fastgd

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y = fastgd.data.gate("xor")
T, V = TypeError, ValueError


def train_many(epochs=50, rate=0.3, **options):
    return fastgd.train_many(NET, X, Y, epochs, rate, **{"members": 6} | options)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"members": None}, V, ["members", "None"]),
        ({"members": 0}, V, ["members", "0"]),
        ({"members": 2.5}, V, ["members", "2.5"]),
        ({"rate": [0.1, 0.2]}, V, ["members", "6", "2 by learning_rate"]),
        ({"rate": [0.1, np.nan, 1, 1, 1, 1]}, V, ["learning_rate", "nan", "index 1"]),
        ({"rate": "fast"}, T, ["learning_rate", "'fast'"]),
        ({"epochs": [1, 2, 3, 4, 5, -1]}, V, ["epochs", "-1"]),
        ({"epochs": [1, 2, 3, 4, 5, 1.5]}, V, ["epochs", "1.5"]),
        ({"patience": [1, 2, 3, 4, 5, 0]}, V, ["patience", "0"]),
        ({"min_delta": [0, 0, 0, 0, 0, -1.0]}, V, ["min_delta", "-1"]),
        ({"params": np.zeros((6, 8))}, V, ["params", "(6, 9)", "(6, 8)"]),
        ({"sample_weight": np.zeros((6, 4))}, V, ["sample_weight"]),
        ({"sample_weight": np.ones((6, 3))}, V, ["sample_weight", "(6, 3)"]),
        ({"rng": -1}, V, ["rng", "-1"]),
        ({"kernel": "cuda"}, V, ["kernel", "'cuda'", "lanes"]),
        ({"threads": 0}, V, ["threads", "0"]),
        ({"max_seconds": -1}, V, ["max_seconds", "-1"]),
        ({"callback": 3}, T, ["callback", "3"]),
        ({"progress": 3}, T, ["progress", "3"]),
        ({"on_interrupt": "stop"}, V, ["on_interrupt", "'stop'"]),
        ({"optimizer": "rprop", "rate": [1, 1, 1, 1, 1, 0.0]}, V, ["learning_rate", "Rprop"]),
        ({"batch_size": 5}, V, ["batch_size", "5"]),
        ({"optimizer": ["adam", "adam"]}, V, ["members", "2 by optimizer"]),
        ({"optimizer": ["adam"] * 5 + [fastgd.SGD()]}, V, ["optimizer", "one kind", "Adam and SGD"]),
        ({"optimizer": ["adam"] * 5 + ["adan"]}, V, ["optimizer", "'adan'"]),
        ({"optimizer": [fastgd.Adam()] * 5 + [0.9]}, T, ["optimizer", "0.9"]),
        ({"optimizer": [["adam"] * 6]}, V, ["optimizer", "2 axes"]),
        ({"rate": [0.1] * 5 + [None]}, T, ["learning_rate", "None"]),
        ({"rate": [0.1] * 5 + ["fast"]}, T, ["learning_rate", "'fast'"]),
        ({"epochs": ["many"] * 6}, T, ["epochs", "'many'"]),
        ({"rate": [fastgd.schedules.Constant(1.0)] * 5 + [np.inf]}, V, ["learning_rate", "inf"]),
        ({"optimizer": "rprop", "rate": [0.1] * 5 + [fastgd.schedules.Step(0.1, every=5)]}, V, ["learning_rate", "Rprop", "Step"]),
        ({"l2": [0, 0, 0, 0, 0, -1.0]}, V, ["l2", "-1"]),
        ({"l2": [0, 0, 0, 0, 0, np.inf]}, V, ["l2", "inf"]),
        ({"clip_norm": [1, 1, 1, 1, 1, 0.0]}, V, ["clip_norm", "0.0"]),
        ({"clip_norm": [1, 1, 1, 1, 1, -np.inf]}, V, ["clip_norm", "-inf"]),
        ({"clip_norm": [1, np.inf, 1, 1, 1, np.nan]}, V, ["clip_norm", "nan"]),
        ({"clip_norm": np.ones((6, 1))}, V, ["clip_norm", "(6, 1)"]),
        ({"clip_norm": np.inf}, V, ["clip_norm", "inf"]),
        ({"record": 1}, V, ["record", "1"]),
        ({"record": -2}, V, ["record", "-2"]),
        ({"record": 2.5}, V, ["record", "2.5"]),
        ({"spacing": "odd"}, V, ["spacing", "'odd'"]),
        ({"l2": np.ones((6, 3))}, V, ["l2", "one for each of", "layers; got 3"]),
        ({"l2": np.ones((5, 2))}, V, ["members", "6", "5 by l2"]),
        ({"l2": np.ones((6, 2)), "kernel": "lanes"}, V, ["kernel 'lanes' serves no l2 or l1 by layer"]),
        ({"dropout": [[0.5, 1.0]] * 6}, V, ["dropout", "below 1", "1.0"]),
        ({"clip_norm": np.ones((6, 2))}, V, ["clip_norm", "one for each of 6 members", "(6, 2)"]),
        ({"l2": [[1], [1, 2]]}, V, ["l2", "each member", "[[1], [1, 2]]"]),
        ({"rate": [[0.1], [0.1, 0.2]]}, V, ["learning_rate", "each member"]),
        ({"params": [np.zeros((2, 2)), np.zeros(2)]}, V, ["params", "(9,) or (6, 9)", "net.pack"]),
    ],
    ids=str,
)
def test_bad_arguments(options, error, words, no_compiled_code):
    assert_refused(lambda: train_many(**options), error, words)


def test_layers_instead_of_members(no_compiled_code):
    layers = NET.unpack(NET.init(0))
    for params in (layers, [array for pair in layers for array in pair]):
        assert_refused(lambda params=params: fastgd.train_many(NET, X, Y, 5, params=params), V, ["params", "net.pack"])
    assert_refused(lambda: fastgd.train_many(NET, X, Y, 5, params=NET), T, ["params", "net.init(rng)"])
    assert_refused(lambda: fastgd.train_many(NET, X, Y, 5, params=NET.init(0)), V, ["members must be given"])


def test_bad_rows(no_compiled_code):
    many = np.zeros((6, 4, 2))
    assert_refused(lambda: fastgd.train_many(NET, many, np.zeros((6, 3, 1)), 5), V, ["X and Y", "4", "3"])
    assert_refused(lambda: fastgd.train_many(NET, many, np.zeros((5, 4, 1)), 5), V, ["6 by X", "5 by Y"])
    assert_refused(lambda: fastgd.train_many(NET, np.zeros((6, 0, 2)), Y, 5), V, ["X", "(6, 0, 2)"])
    assert_refused(lambda: fastgd.train_many(NET, np.zeros((6, 4, 3)), Y, 5), V, ["X", "2"])
    assert_refused(lambda: fastgd.train_many("net", X, Y, 5, members=2), T, ["net", "'net'"])


def test_lanes_are_for_small_networks_and_for_many(no_compiled_code):
    wide = fastgd.MLP(64, 32, 10)
    zeros = np.zeros((3, 64)), np.zeros((3, 10))
    assert_refused(lambda: fastgd.train_many(wide, *zeros, 5, members=8, kernel="lanes"), V, ["kernel 'lanes'", "MLP(64, 32, 10"])
    assert_refused(lambda: fastgd.train(NET, X, Y, 5, kernel="lanes"), V, ["kernel 'lanes'", "train_many"])
