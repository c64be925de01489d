"""Recorders of trainings, by their own packages or by the functions that these document: every point, once, and no training lost."""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from conftest import assert_refused
from this_machine import imports

import fastgd
from fastgd.callbacks.recorder import Recorder

X, Y = fastgd.data.gate("xor")
NET = fastgd.MLP(2, 2, 1)
HAS_TENSORBOARD = imports("tensorboard.summary")


def train(epochs=40, **options):
    return fastgd.train(NET, X, Y, epochs, 0.5, rng=0, **{"kernel": "matrix"} | options)


class Kept(Recorder):
    """A recorder that keeps what it is to write, until its disk is full."""

    where = "memory"

    def __init__(self, every=0.0, room=10**9):
        super().__init__(every)
        self.room, self.points, self.words, self.opened, self.closed = room, [], {}, 0, []

    def open(self):
        self.opened += 1

    def write(self, points):
        if len(self.points) + len(points) > self.room:
            raise OSError(28, "No space left on device")
        self.points += points

    def describe(self, words):
        self.words = words

    def close(self, is_whole):
        self.closed.append(is_whole)


@pytest.mark.usefixtures("single_updates")
def test_a_recorder_has_every_point_once():
    kept = Kept()
    run = train(validation=(X[:2], Y[:2]), callback=kept)
    assert run == train(validation=(X[:2], Y[:2]))
    live = [(epoch, numbers["cost"]) for epoch, numbers in kept.points if "seconds" in numbers]
    assert [epoch for epoch, _ in live] == list(range(1, 40))
    later = [(epoch, numbers) for epoch, numbers in kept.points if "seconds" not in numbers]
    assert [epoch for epoch, _ in later] == run.history.epoch.tolist()
    assert [numbers["validation cost"] for _, numbers in later] == run.history.validation.tolist()
    assert later[-1][1]["cost"] == run.history.cost[-1]
    assert not any("cost" in numbers for _, numbers in later[:-1])
    assert kept.words["optimizer"] == "sgd"
    assert kept.words["stopped_by"] == "epochs"
    assert (kept.opened, kept.closed) == (1, [True])
    train(callback=kept)  # another training
    assert (kept.opened, kept.closed) == (2, [True, True])


def test_a_recorder_fills_up_from_the_history():
    """What came faster than it was to write; a training too short for any call, too."""
    kept = Kept(every=1e9)
    run = train(callback=kept)
    costs = {epoch: numbers["cost"] for epoch, numbers in kept.points if "cost" in numbers}
    first = next(iter(costs))
    history = dict(zip(run.history.epoch.tolist(), run.history.cost.tolist(), strict=True))
    assert {epoch: cost for epoch, cost in costs.items() if epoch > first} == {e: c for e, c in history.items() if e > first}
    assert list(costs) == sorted(costs)
    nothing = Kept()
    run = train(0, callback=nothing)
    assert nothing.points == [(0, {"cost": run.cost})]
    assert nothing.closed == [True]


def test_a_recorder_of_many_members():
    kept = Kept(every=1e9)
    runs = fastgd.train_many(NET, X, Y, 30, members=3, rng=0, callback=kept, kernel="matrix")
    assert kept.points[-1][0] >= 90
    assert kept.points[-1][1] == {"ended members": 3.0, "cost": runs.cost.min()}
    assert kept.closed == [True]


@pytest.mark.usefixtures("single_updates")
@pytest.mark.parametrize("room", [0, 5, 45])
def test_a_full_disk_ends_no_training(room):
    kept = Kept(room=room)
    with pytest.warns(RuntimeWarning, match="no longer recorded in memory: No space left on device") as told:
        run = train(callback=kept, validation=(X[:2], Y[:2]))
    assert len(told) == 1
    assert run == train(validation=(X[:2], Y[:2]))
    assert len(kept.points) <= room
    assert kept.closed == [True]


def test_what_cannot_be_opened_ends_no_training():
    class Closed(Kept):
        def open(self):
            super().open()
            raise ConnectionError("nobody answers")

    closed = Closed()
    for opened in (1, 2):  # of the next training it tries again
        with pytest.warns(RuntimeWarning, match="^the training is not recorded in memory: nobody answers$") as told:
            run = train(callback=closed)
        assert len(told) == 1
        assert run == train()
        assert (closed.opened, closed.points, closed.closed) == (opened, [], [])


def test_a_recorder_of_what_fails():
    kept = Kept()
    net = fastgd.MLP(1, 1, activation="identity")
    with pytest.raises(fastgd.DivergedError):
        fastgd.train(net, *fastgd.data.twice(), 1000, 1e3, rng=0, callback=kept)
    assert kept.words["stopped_by"] == "diverged"
    assert all(np.isfinite(number) for _, numbers in kept.points for number in numbers.values())

    def fails(progress):
        raise LookupError("mine")

    with pytest.raises(LookupError):
        train(callback=[kept, fails])
    assert kept.closed == [False, False]


# -- by other packages


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_what_is_not_installed_names_the_extra(name, monkeypatch):
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    make = getattr(fastgd.callbacks, name)
    with pytest.raises(ImportError, match=rf"fastgd\.callbacks\.{name} needs {name}: pip install 'fastgd\[{name}\]'"):
        make("logs") if name == "tensorboard" else make()


def test_every_is_a_time():
    assert_refused(lambda: Kept(1) and fastgd.callbacks._seconds(-1), ValueError, ["every", "-1"])


@pytest.mark.skipif(not HAS_TENSORBOARD, reason="TensorBoard is not installed: pip install 'fastgd[tensorboard]'")
@pytest.mark.filterwarnings("ignore:::(?!fastgd)")  # of TensorBoard's own
@pytest.mark.usefixtures("single_updates")
def test_event_files_are_read_back(tmp_path):
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    make_ndarray = import_module("tensorboard.util.tensor_util").make_ndarray
    run = train(validation=(X[:2], Y[:2]), callback=fastgd.callbacks.tensorboard(tmp_path / "logs", every=0))
    read = accumulator.EventAccumulator(str(tmp_path / "logs"), size_guidance={"tensors": 0}).Reload()

    def points(name):
        return [(event.step, float(make_ndarray(event.tensor_proto))) for event in read.Tensors(name)]

    assert {"cost", "validation cost"} <= set(read.Tags()["tensors"])
    history = run.history
    expected = list(zip(history.epoch.tolist(), history.validation.astype(np.float32).tolist(), strict=True))
    assert points("validation cost") == expected
    assert points("cost")[-1] == (40, np.float32(run.cost))


class Calls(ModuleType):
    """A module whose functions note that they are called."""

    def __init__(self, name, monkeypatch):
        super().__init__(name)
        self.calls = []
        monkeypatch.setitem(sys.modules, name, self)

    def note(self, name, result=None):
        def call(*arguments, **named):
            self.calls.append((name, arguments, named))
            return result

        return call


def test_event_files_by_what_is_documented(monkeypatch, tmp_path):
    Calls("tensorboard", monkeypatch)
    summary = Calls("tensorboard.summary", monkeypatch)
    writer = SimpleNamespace(add_scalar=summary.note("add_scalar"), close=summary.note("close"))
    summary.Writer = summary.note("Writer", writer)
    run = train(callback=fastgd.callbacks.tensorboard(tmp_path))
    assert summary.calls[0] == ("Writer", (str(tmp_path),), {})
    assert summary.calls[-2:] == [("add_scalar", ("cost", run.cost, 40), {}), ("close", (), {})]


@pytest.mark.parametrize("is_active", [False, True])
def test_mlflow_by_what_is_documented(is_active, monkeypatch):
    """A run that is active is written to and left open."""
    mlflow, entities = Calls("mlflow", monkeypatch), Calls("mlflow.entities", monkeypatch)
    begun = SimpleNamespace(info=SimpleNamespace(run_id="abc"))
    mlflow.active_run = mlflow.note("active_run", begun if is_active else None)
    mlflow.start_run, mlflow.end_run = mlflow.note("start_run", begun), mlflow.note("end_run")
    mlflow.log_params = mlflow.note("log_params")
    mlflow.MlflowClient = lambda: SimpleNamespace(log_batch=mlflow.note("log_batch"))
    entities.Metric = lambda *metric: metric
    run = train(callback=fastgd.callbacks.mlflow(run_name="mine"))
    names = [name for name, *_ in mlflow.calls]
    others = ["active_run", "log_batch", "log_batch", "log_params"]
    assert names == others if is_active else names == ["active_run", "start_run", *others[1:], "end_run"]
    batches = [arguments for name, arguments, _ in mlflow.calls if name == "log_batch"]
    assert {arguments[0] for arguments in batches} == {"abc"}
    assert batches[-1][1][-1][::3] == ("cost", 40)
    assert batches[-1][1][-1][1] == run.cost
    (params,) = (arguments[0] for name, arguments, _ in mlflow.calls if name == "log_params")
    assert params["learning_rate"] == "0.5"
    if not is_active:
        assert mlflow.calls[1] == ("start_run", (), {"run_name": "mine"})
        assert mlflow.calls[-1] == ("end_run", ("FINISHED",), {})


@pytest.mark.parametrize("is_open", [False, True])
def test_wandb_by_what_is_documented(is_open, monkeypatch):
    wandb = Calls("wandb", monkeypatch)
    noted = {name: wandb.note(name) for name in ("define_metric", "log", "finish")}
    run = SimpleNamespace(config=SimpleNamespace(update=wandb.note("update")), **noted)
    wandb.run, wandb.init = run if is_open else None, wandb.note("init", run)
    trained = train(callback=fastgd.callbacks.wandb(project="mine"))
    names = [name for name, *_ in wandb.calls]
    assert names[: 2 - is_open] == ["init", "define_metric"][is_open:]
    assert ("finish" in names) == (not is_open)
    logged = [arguments[0] for name, arguments, _ in wandb.calls if name == "log"]
    assert logged[-1] == {"epoch": 40, "cost": trained.cost}
    (words,) = (arguments[0] for name, arguments, _ in wandb.calls if name == "update")
    assert words["seed"] == 0
    if not is_open:
        assert wandb.calls[0] == ("init", (), {"project": "mine"})
        assert wandb.calls[-1] == ("finish", (), {"exit_code": 0})
