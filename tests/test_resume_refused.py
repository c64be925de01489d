"""A checkpoint of another training, or another file in its place, is not gone on from: the difference is named."""

import os

import numpy as np
import pytest
from small_problem import EPOCHS, HELD_OUT, NET, PARAMS, X, Y, options_of

import fastgd

MOVED = X + np.where(np.arange(22).reshape(11, 2) == 13, 1e-9, 0)
REFUSED = [
    ({"net": fastgd.MLP(2, 3, 1, activation="tanh"), "params": None}, ["MLP(2, 3, 1", "MLP(2, 2, 1"]),
    ({"net": fastgd.MLP(2, 2, 1, activation="sin")}, ["sin", "tanh"]),
    ({"X": MOVED}, ["other data", "X, Y"]),
    ({"X": X[:10], "Y": Y[:10]}, ["other data"]),
    ({"Y": Y + 1e-9}, ["other data"]),
    ({"sample_weight": np.ones(11)}, ["other data", "sample_weight"]),
    ({"validation": None}, ["other data", "validation"]),
    ({"validation": 0.3}, ["other data", "validation"]),
    ({"validation": (HELD_OUT[0], HELD_OUT[1] + 1e-9)}, ["other data", "validation"]),
    ({"learning_rate": 0.1}, ["learning_rate", "0.05", "0.1"]),
    ({"learning_rate": fastgd.schedules.Constant(0.05)}, ["learning_rate", "0.05", "Constant"]),
    ({"optimizer": "adam"}, ["optimizer", "SGD", "Adam"]),
    ({"optimizer": fastgd.SGD(momentum=0.5)}, ["optimizer", "momentum=0.5", "momentum=0.9"]),
    ({"batch_size": 4}, ["batch_size", "3", "4"]),
    ({"batch_size": None}, ["batch_size", "3", "None"]),
    ({"shuffle": False}, ["shuffle", "True", "False"]),
    ({"kernel": "unrolled"}, ["kernel", "matrix", "unrolled"]),
    ({"method": "layerwise"}, ["method", "backprop", "layerwise"]),
    ({"rng": 6}, ["rng", "5", "6"]),
    ({"l2": 0.1}, ["l2", "0.0", "0.1"]),
    ({"clip_norm": 1.0}, ["clip_norm", "None", "1.0"]),
    ({"target_cost": 0.1}, ["target_cost", "None", "0.1"]),
    ({"patience": 2}, ["patience", "1000", "2"]),
    ({"min_delta": 0.1}, ["min_delta", "0.0", "0.1"]),
    ({"restore_best": False}, ["restore_best", "True", "False"]),
    ({"record": 8}, ["record", "7", "8"]),
    ({"spacing": "log"}, ["spacing", "even", "log"]),
    ({"epochs": 4}, ["epochs", "at least 5", "4"]),
]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A checkpoint of 5 epochs."""
    path = tmp_path_factory.mktemp("interrupted") / "run.npz"
    fastgd.train(NET, X, Y, 5, checkpoint=path, kernel="matrix", **options_of("momentum", 3))
    return path


@pytest.mark.parametrize(("changed", "words"), REFUSED, ids=lambda case: "-".join(case) if isinstance(case, dict) else "")
def test_another_training_is_refused(changed, words, interrupted, no_compiled_code):
    """The message names what differs and the file, which stays what it is."""
    before = interrupted.read_bytes()
    arguments = {"net": NET, "X": X, "Y": Y, "epochs": EPOCHS, "kernel": "matrix", **options_of("momentum", 3), **changed}
    with pytest.raises(ValueError, match=r"run\.npz") as caught:
        fastgd.train(checkpoint=interrupted, resume=True, **arguments)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert interrupted.read_bytes() == before
    assert os.listdir(interrupted.parent) == [interrupted.name]


@pytest.mark.parametrize("kind", ["a saved run", "another npz", "text", "nothing"])
def test_other_files_are_refused(kind, path, no_compiled_code, interrupted):
    if kind == "a saved run":
        fastgd.load_run(interrupted).save(path)
    elif kind == "another npz":
        np.savez(path, params=PARAMS)
    else:
        path.write_text("hello" if kind == "text" else "")
    with pytest.raises(ValueError, match=r"run\.npz.*(no checkpoint|no whole fastgd run)"):
        fastgd.train(NET, X, Y, EPOCHS, checkpoint=path, resume=True, kernel="matrix", **options_of("momentum", 3))


def test_without_resuming_it_is_replaced(interrupted, path):
    """Whatever it was."""
    path.write_bytes(interrupted.read_bytes())
    run = fastgd.train(NET, X, Y, 3, kernel="matrix", checkpoint=path, **options_of("sgd", 3))
    assert run.epochs == 3
    assert fastgd.load_run(path) == run
