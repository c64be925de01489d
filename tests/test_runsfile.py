"""Runs of many members in files: what comes back is equal or refused."""

import json

import numpy as np
import pytest
from file_writers import mutations

import fastgd
from fastgd.training.archive import _digest

X, Y = fastgd.data.gate("xor")


@pytest.fixture(params=["float64", "float32"], scope="module")
def runs(request):
    net = fastgd.MLP(2, 3, 1, activation=["tanh", "sigmoid"], dtype=request.param)
    rates = fastgd.schedules.Cosine(0.1, steps=100)
    options = {"optimizer": fastgd.Adam(beta1=0.8), "patience": [1, 2, 3, 1000], "batch_size": 3, "l2": 0.01, "kernel": "matrix"}
    return fastgd.train_many(net, X, Y, [5, 10, 15, 0], rates, rng=7, **options)


@pytest.fixture
def saved(runs, path):
    runs.save(path)
    return path


def test_round_trip(runs, saved):
    loaded = fastgd.load_runs(saved)
    assert loaded == runs
    assert loaded.seconds == runs.seconds
    assert loaded.params.dtype == runs.params.dtype
    assert loaded.options == runs.options
    assert loaded.best == runs.best
    assert np.array_equal(loaded.predict(X), runs.predict(X))


def test_either_kind_is_told_from_the_other(runs, saved):
    with pytest.raises(ValueError, match=r"run\.npz.*fastgd\.load_runs reads"):
        fastgd.load_run(saved)
    runs[1].save(saved)
    with pytest.raises(ValueError, match=r"run\.npz.*fastgd\.load_run reads"):
        fastgd.load_runs(saved)


def test_mutations_are_refused_or_harmless(runs, saved):
    refused = 0
    for data in mutations(saved.read_bytes()):
        saved.write_bytes(data)
        try:
            assert fastgd.load_runs(saved) == runs
        except ValueError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda facts, arrays: facts.update(format=1),
            "^'[^']*' has format 1 of another version of fastgd; this one reads format 3: use it with the version",
        ),
        (lambda facts, arrays: facts.pop("kernel"), "kernel"),
        (lambda facts, arrays: facts["net"].update(widths=[2, 4, 1]), "MLP"),
        (lambda facts, arrays: facts["options"].update(colour="red"), "colour"),
        (lambda facts, arrays: arrays.pop("states_costs"), "costs"),
        (lambda facts, arrays: arrays.update(states_more=np.zeros(4)), "more"),
        (lambda facts, arrays: arrays.update(settings_seeds=np.zeros(3, np.int64)), "members"),
    ],
)
def test_what_does_not_fit_is_refused(change, words, saved):
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "digest"}
    facts = json.loads(str(arrays["facts"]))
    change(facts, arrays)
    arrays["facts"] = np.array(json.dumps(facts))
    np.savez(saved, digest=np.array(_digest(arrays)), **arrays)
    with pytest.raises(ValueError, match=words):
        fastgd.load_runs(saved)
