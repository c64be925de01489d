"""Many members go on from runs as `train` does from one, and from a checkpoint only if it is the same training."""

import os

import numpy as np
import pytest
from conftest import assert_refused
from many_problem import EACH, EPOCHS, MEMBERS, NET, RATES, WAYS, X, Y, train_many, when

import fastgd
from fastgd.state import BATCH
from fastgd.training.archive import _digest


@pytest.fixture(params=["lanes", "matrix"])
def kernel(request):
    return request.param


# -- going on from runs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kernel"), EACH)
def test_after_runs_the_epochs_are_further_ones(way, kernel):
    """Where no rule has ended one, after which rules begin anew."""
    options = {"patience": 1000, "target_cost": None} if "patience" in WAYS[way] else {}
    first = train_many(kernel, way, **options)
    both = train_many("auto", way, 5, params=first, rng=None, members=None, **options)
    whole = train_many(kernel, way, EPOCHS + 5, **options)
    assert both.states.params.tobytes() == whole.params.tobytes()
    assert both.kernel == kernel
    assert [run == other for run, other in zip(both, whole, strict=True)] == [True] * MEMBERS
    assert first.epochs.tolist() == EPOCHS.tolist()


def test_rules_begin_anew_after_runs_that_they_ended():
    first = train_many("matrix", "rules", patience=2, epochs=100)
    both = train_many("matrix", "rules", 7, params=first, patience=3)
    for i in np.flatnonzero(first.stopped_by == "patience"):
        one = fastgd.train(
            NET, X, Y, 7, RATES[i], params=first[i], patience=3, min_delta=1e-3, target_cost=0.03, optimizer=first.options.optimizer
        )
        assert both[i].params.tobytes() == one.params.tobytes()
        assert (both.epochs[i], both.stopped_by[i]) == (one.epochs, one.stopped_by)
    assert "patience" in first.stopped_by


def test_in_the_middle_of_an_epoch(path, small_steps):
    """From runs, one of them, or either's file."""
    way = "Adam, batches"
    first = train_many("matrix", way, callback=when(lambda progress: progress.epoch > 40))
    inside = np.flatnonzero(first.states.cursor[:, BATCH])
    assert len(inside)
    whole = train_many("matrix", way)
    first.save(path)
    assert fastgd.load_runs(path) == first
    back_off = EPOCHS - first.epochs
    assert train_many("matrix", way, back_off, params=fastgd.load_runs(path)).params.tobytes() == whole.params.tobytes()
    for i in inside:
        first[i].save(path)
        one = fastgd.train(NET, X, Y, back_off[i], RATES[i], params=fastgd.load_run(path), optimizer="adam", batch_size=3)
        assert one.params.tobytes() == whole.params[i].tobytes()


def test_other_options_after_runs():
    """As `train` does it: slots stay with their optimizer."""
    first = train_many("matrix", "Adam, batches")
    for options in ({"optimizer": "adam"}, {"optimizer": "rprop"}, {"optimizer": "adamw", "batch_size": 4}):
        runs = train_many("matrix", epochs=4, params=first, **options)
        for i in (0, 7):
            one = fastgd.train(NET, X, Y, 4, RATES[i], params=first[i], kernel="matrix", **options)
            assert runs.params[i].tobytes() == one.params.tobytes()
    other = fastgd.train_many(NET, X, Y, 4, RATES, params=first, kernel="lanes", optimizer="adam")
    assert other.params == pytest.approx(train_many("matrix", epochs=4, params=first, optimizer="adam").params, rel=1e-9)


@pytest.mark.parametrize("spacing", ["even", "log"])
@pytest.mark.parametrize(("before", "after"), [(9, 4), (4, 9), (5, 5)])
def test_another_history_after_runs(before, after, spacing, kernel):
    """Every member's goes on in the points that there is room for, as that of `train` does."""
    first = train_many("matrix", record=before, batch_size=4)
    options = {"record": after, "spacing": spacing, "batch_size": 4}
    runs = train_many(kernel, epochs=30, params=first, **options)
    for i, run in enumerate(runs):
        one = fastgd.train(NET, X, Y, 30, RATES[i], params=first[i], kernel="matrix", **options)
        assert run.history.epoch.tolist() == one.history.epoch.tolist()
        assert run.history.cost == pytest.approx(one.history.cost, rel=1e-9)
        assert run.history.epoch[0] == 0
    bare = train_many(kernel, epochs=3, params=first, batch_size=4)
    assert [run.history.epoch.tolist() for run in bare] == [[epochs] for epochs in EPOCHS + 3]


def test_a_member_without_momentum_has_no_velocity(kernel):
    """Beside one that has, its slot is used all the same."""
    options = {"epochs": 5, "learning_rate": 0.1, "rng": 0, "members": 2, "kernel": kernel}
    first = fastgd.train_many(NET, X, Y, **options, optimizer=[fastgd.SGD(), fastgd.SGD(0.5)])
    both = fastgd.train_many(NET, X, Y, **options, optimizer=fastgd.SGD(0.9), params=first)
    for i in range(2):
        one = fastgd.train(NET, X, Y, 5, 0.1, params=first[i], optimizer=fastgd.SGD(0.9), kernel="matrix")
        assert both.params[i] == pytest.approx(one.params, rel=1e-11)


def test_a_pass_for_the_cost_alone_is_no_end_of_an_epoch(kernel):
    runs = train_many(kernel, "Adam, batches", 0, target_cost=10.0)
    assert set(runs.stopped_by) == {"epochs"}


def test_rows_of_members_in_a_file_are_in_the_order_of_train(kernel, tmp_path):
    rng = np.random.default_rng(0)
    mapped = np.memmap(tmp_path / "X", float, "w+", shape=(2, 500, 2))
    mapped[:] = rng.normal(size=mapped.shape)
    targets = rng.uniform(size=(500, 1))
    runs = fastgd.train_many(NET, mapped, targets, 2, 0.5, rng=0, batch_size=3, kernel=kernel, optimizer="adam")
    for i in range(2):
        one = fastgd.train(NET, mapped[i], targets, 2, 0.5, rng=i, batch_size=3, kernel="matrix", optimizer="adam")
        assert runs.params[i] == pytest.approx(one.params, rel=1e-9)


# -- what is refused -------------------------------------------------------------------------------------------------------------------

V, T = ValueError, TypeError


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A checkpoint in lanes."""
    path = tmp_path_factory.mktemp("interrupted") / "c.npz"
    train_many("lanes", checkpoint=path)
    return path


MOVED = X + np.where(np.arange(22).reshape(11, 2) == 13, 1e-9, 0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"net": fastgd.MLP(2, 3, 1, activation="tanh")}, ["MLP(2, 3, 1", "MLP(2, 2, 1"]),
        ({"X": MOVED}, ["other data", "X, Y"]),
        ({"sample_weight": np.ones(11)}, ["other data", "sample_weight"]),
        ({"members": 9, "learning_rate": 0.1, "epochs": 20}, ["10", "9", "members"]),
        ({"rng": 4}, ["rng 3", "member 0", "4"]),
        ({"learning_rate": np.where(np.arange(MEMBERS) == 4, 7, RATES)}, ["learning_rate", "member 4", "0.25", "7"]),
        ({"params": np.ones(9)}, ["params", "member 0"]),
        ({"optimizer": "adam"}, ["optimizer", "SGD", "Adam"]),
        ({"batch_size": 4}, ["batch_size", "None", "4"]),
        ({"kernel": "matrix"}, ["kernel", "lanes", "matrix"]),
        ({"method": "layerwise"}, ["method", "layerwise"]),
        ({"l2": 0.1}, ["l2 0.0", "member 0", "0.1"]),
        ({"l2": np.where(np.arange(MEMBERS) == 3, 0.2, 0.0)}, ["l2 0.0", "member 3", "0.2"]),
        ({"optimizer": fastgd.SGD(momentum=0.9)}, ["optimizer SGD(momentum=0.0", "member 0", "SGD(momentum=0.9"]),
        ({"target_cost": 0.1}, ["target_cost", "None", "0.1"]),
        ({"patience": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, ["patience", "None", "1"]),
        ({"epochs": EPOCHS - 3 * (np.arange(MEMBERS) == 2)}, ["epochs", "member 2", "12", "9"]),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) else "",
)
def test_another_training_is_refused(changed, words, interrupted, no_compiled_code):
    before = interrupted.read_bytes()
    assert_refused(lambda: train_many(**{"kernel": "lanes", "checkpoint": interrupted, "resume": True} | changed), V, ["c.npz", *words])
    assert interrupted.read_bytes() == before
    assert os.listdir(interrupted.parent) == [interrupted.name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("states_batch", np.full(MEMBERS, 1)), ("states_batch", np.full(MEMBERS, -1)), ("states_epochs", np.full(MEMBERS, -1)),
        ("states_slots", np.zeros((MEMBERS, 1, 9))), ("states_patience_cost", np.zeros(MEMBERS, np.int64)),
        ("states_powers", np.zeros((MEMBERS, 2), np.float32)), ("states_patience_epochs", np.full(MEMBERS, -1)),
    ],
)  # fmt: skip
def test_compiled_code_does_not_go_on_from_what_can_not_be(name, value, interrupted, path, no_compiled_code):
    """Be the digest right."""
    with np.load(interrupted) as archive:
        arrays = {each: archive[each] for each in archive.files if each != "digest"} | {name: value}
    np.savez(path, digest=np.array(_digest(arrays)), **arrays)
    assert_refused(lambda: train_many("lanes", checkpoint=path, resume=True), V, ["run.npz", "can't be gone on from"])


def test_places_and_arguments(tmp_path, path, no_compiled_code):
    assert_refused(lambda: train_many("lanes", resume=True), V, ["resume", "checkpoint="])
    assert_refused(lambda: train_many("lanes", resume=1, checkpoint=path), T, ["resume", "1"])
    assert_refused(lambda: train_many("lanes", checkpoint=3), T, ["checkpoint", "3"])
    assert_refused(lambda: train_many("lanes", checkpoint=path, checkpoint_every=-1), V, ["checkpoint_every", "-1"])
    with pytest.raises(FileNotFoundError):
        train_many("lanes", checkpoint=tmp_path / "no" / "runs.npz")
    with pytest.raises(IsADirectoryError):
        train_many("matrix", checkpoint=tmp_path)


def test_runs_that_do_not_fit(interrupted, no_compiled_code):
    first = fastgd.load_runs(interrupted)
    assert_refused(lambda: train_many("matrix", params=first, members=9), V, ["members", "10", "9"])
    other = fastgd.MLP(2, 3, 1)
    assert_refused(lambda: train_many("matrix", params=first, net=other), V, ["params", "MLP(2, 3, 1", "MLP(2, 2, 1"])
    assert_refused(lambda: train_many("matrix", params=first, epochs=2**62), V, ["epochs", str(2**62)])


def test_other_files_are_refused(interrupted, path, no_compiled_code):
    go_on = {"kernel": "matrix", "checkpoint": path, "resume": True}
    runs = fastgd.load_runs(interrupted)
    runs.save(path)
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "no checkpoint", "fastgd.load_runs"])
    runs[0].save(path)
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "fastgd.load_run reads"])
    path.write_text("hello")
    assert_refused(lambda: train_many(**go_on), V, ["run.npz", "no whole"])
