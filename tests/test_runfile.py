"""Runs in files, pickles and copies: what comes back is equal or refused, what is there is never half written."""

import copy
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from conftest import random_problem
from file_writers import mutations

import fastgd
from fastgd.training.archive import _digest


@pytest.fixture(params=["float64", "float32"], scope="module")
def run(request):
    net = fastgd.MLP(3, 4, 2, activation=["tanh", "identity"], bias=False, dtype=request.param)
    X, Y, params = random_problem(net, 10)
    return fastgd.train(net, X, Y, 30, 0.2, params=params, rng=3, batch_size=4)


@pytest.fixture
def saved(run, tmp_path):
    path = tmp_path / "run.npz"
    run.save(path)
    return path


def test_round_trip(run, saved):
    loaded = fastgd.load_run(saved)
    assert loaded == run
    assert loaded.seconds == run.seconds
    assert loaded.net == run.net
    assert loaded.params.dtype == run.params.dtype
    assert np.array_equal(loaded.params, run.params)
    assert np.array_equal(loaded.history.epoch, run.history.epoch)
    assert np.array_equal(loaded.history.cost, run.history.cost)
    assert loaded.history.epoch.dtype == run.history.epoch.dtype
    assert loaded.options == run.options
    X = np.ones((2, 3))
    assert np.array_equal(loaded.predict(X), run.predict(X))


def test_paths(run, tmp_path, monkeypatch):
    """A str, a path without a suffix, a bare name in the working directory: the file has the very name given."""
    monkeypatch.chdir(tmp_path)
    for path in [str(tmp_path / "a.npz"), tmp_path / "b", "c.run"]:
        run.save(path)
        assert fastgd.load_run(path) == run
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b", "c.run"]


def test_pickles_and_copies(run):
    for other in (pickle.loads(pickle.dumps(run)), copy.copy(run), copy.deepcopy(run)):
        assert other == run
        assert other.seconds == run.seconds


def test_comparison(run):
    def changed(**fields):
        return copy.deepcopy(run).__class__(**{**{name: getattr(run, name) for name in run.__dataclass_fields__}, **fields})

    assert changed(seconds=123.0) == run
    moved = run.params.copy()
    moved[0] = np.nextafter(moved[0], moved.dtype.type(10))
    history = fastgd.History(run.history.epoch, run.history.cost + 1)
    for fields in [{"params": moved}, {"cost": 0.0}, {"epochs": 7}, {"seed": 4}, {"history": history}, {"net": fastgd.MLP(3, 4, 2)}]:
        assert changed(**fields) != run
    assert run != "run"
    assert run.history != 3


def test_saving_again_replaces(run, saved):
    other = fastgd.train(run.net, np.ones((2, 3)), np.ones((2, 2)), 1, rng=0)
    other.save(saved)
    assert fastgd.load_run(saved) == other
    assert os.listdir(saved.parent) == [saved.name]


@pytest.mark.parametrize("broken", ["numpy.savez", "os.fsync", "os.replace"])
def test_a_failure_leaves_the_old_file(broken, run, saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*arguments, **keywords):
        raise OSError("no space left on device")

    monkeypatch.setattr(broken, fail)
    with pytest.raises(OSError, match="no space left"):
        run.save(saved)
    monkeypatch.undo()
    assert saved.read_bytes() == before
    others = [fastgd.load_run(saved.parent / name) for name in os.listdir(saved.parent) if name != saved.name]
    assert others == ([run] if broken == "os.replace" else [])  # what is whole is kept


def test_half_a_write_leaves_the_old_file(run, saved, monkeypatch):
    """The disk is full in the middle of it."""

    def half(file, **arrays):
        file.write(b"PK\x03\x04 half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        run.save(saved)
    monkeypatch.undo()
    assert fastgd.load_run(saved) == run
    assert os.listdir(saved.parent) == [saved.name]


def test_no_such_place(run, tmp_path):
    place = tmp_path / "nowhere" / "run.npz"
    with pytest.raises(FileNotFoundError) as missing:
        run.save(place)
    assert missing.value.filename == str(place)  # not that of a temporary file
    with pytest.raises(FileNotFoundError):
        fastgd.load_run(tmp_path / "nothing.npz")
    with pytest.raises(OSError):  # noqa: PT011 (its kind is the platform's)
        fastgd.load_run(tmp_path)


def test_mutations_are_refused_or_harmless(run, saved):
    refused = 0
    for data in mutations(saved.read_bytes()):
        saved.write_bytes(data)
        try:
            assert fastgd.load_run(saved) == run
        except ValueError:
            refused += 1
    assert refused > 100


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def empty_zip():
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    return file.getvalue()


class Bomb:
    """What a pickle would run."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


FOREIGN = {
    "empty": b"",
    "text": b"hello, world\n",
    "a zip's first bytes": b"PK\x03\x04",
    "an empty zip": empty_zip(),
    "another npz": npz(weights=np.ones(3)),
    "an npz with our names": npz(facts=np.array("{}"), params=np.ones(3), history_epoch=[0], history_cost=[0.0], digest=np.array("")),
    "an npy": npy(np.ones(3)),
    "an npy of a text": npy(np.array("facts")),
    "a pickle": pickle.dumps({"params": [1.0]}),
    "a pickle that runs code": pickle.dumps(Bomb()),
    "an npy of objects": npy(np.array([Bomb()], object), allow_pickle=True),
    "an npz of objects": npz(facts=np.array(["{}"]), params=np.array([Bomb()], object), digest=np.array("")),
    "json": json.dumps({"format": 1}).encode(),
    "noise": np.random.default_rng(0).bytes(3000),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_files(content, tmp_path):
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"foreign\.npz"):
        fastgd.load_run(path)


def edited(saved, change):
    """The saved run with its facts or arrays changed and its digest right again."""
    with np.load(saved) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "digest"}
    facts = json.loads(str(arrays["facts"]))
    change(facts, arrays)
    arrays["facts"] = np.array(json.dumps(facts))
    arrays["digest"] = np.array(_digest(arrays))
    saved.write_bytes(npz(**arrays))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda facts, arrays: facts.update(format=1),
            "^'[^']*' has format 1 of another version of fastgd; this one reads format 3: use it with the version",
        ),
        (lambda facts, arrays: facts.update(format="1"), "format"),
        (lambda facts, arrays: facts.pop("epochs"), "epochs"),
        (lambda facts, arrays: facts["net"].update(loss="no_such_loss"), "no_such_loss"),
        (lambda facts, arrays: facts["net"].update(widths=[3, 5, 2]), "params"),
        (lambda facts, arrays: arrays.update(params=arrays["params"] * np.nan), "params"),
        (lambda facts, arrays: arrays.pop("history_cost"), "history_cost"),
    ],
)
def test_what_does_not_fit_is_refused(change, words, saved):
    edited(saved, change)
    with pytest.raises(ValueError, match=words):
        fastgd.load_run(saved)


def test_an_edit_alone_is_fine(run, saved):
    edited(saved, lambda facts, arrays: None)
    assert fastgd.load_run(saved) == run
