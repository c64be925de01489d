"""Members trained elsewhere, on a Dask cluster and by joblib: to the bits of those trained here, whoever is lost on the way."""

import os
import signal
import sys
from dataclasses import replace

import joblib
import numpy as np
import pytest
from conftest import assert_refused, random_problem
from distributed import Client, LocalCluster
from interruptions import wait_until

import fastgd
from fastgd.ensemble import shards
from fastgd.ensemble.folder import shards_of
from fastgd.training.checkpoint import Checkpoint

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, _ = random_problem(NET, 11)
MEMBERS = {"lanes": 130, "matrix": 9}
RULES = {"optimizer": "adam", "batch_size": 4, "target_cost": 0.05, "patience": 20}
LONG = 2_000_000_000


def train_many(kernel, epochs=60, **options):
    members = MEMBERS[kernel]
    given = {"X": X, "Y": Y, "rng": 3, "kernel": kernel, "members": members, "learning_rate": np.geomspace(0.003, 0.3, members)}
    return fastgd.train_many(NET, epochs=epochs, **given | options)


@pytest.fixture(params=["lanes", "matrix"])
def kernel(request):
    return request.param


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.run(setattr, shards, "_ASK_SECONDS", 0.05)
        yield client


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


def wait_until_idle(client):
    """Until shards that a call has left have ended, having written their files."""
    wait_until(lambda: not any(client.run(lambda dask_worker: dask_worker.state.executing_count).values()))


def stand_still_until(gate):
    """In a worker, from now on: after a shard's file is written, wait for the file `gate`."""
    save = Checkpoint.save

    def save_and_wait(self, kept):
        save(self, kept)
        wait_until(gate.exists)

    Checkpoint.save = save_and_wait


def assert_whole(folder, runs):
    """The folder is one file, of all members."""
    assert fastgd.load_runs(folder) == runs
    assert os.listdir(folder) == ["runs.npz"]


# -- Dask ------------------------------------------------------------------------------------------------------------------------------


def test_bits(kernel, client, folder):
    told = []
    runs = train_many(kernel, client=client, checkpoint=folder, progress=told.append, **RULES)
    assert runs == train_many(kernel, **RULES)
    assert set(runs.stopped_by) >= {"target_cost", "epochs"}
    assert_whole(folder, runs)
    assert told[-1].epoch == told[-1].epochs == 60 * len(runs)
    assert told[-1].ended == told[-1].members == len(runs)
    assert told[-1].cost == runs.cost.min()


def test_rows_of_their_own_and_rows_that_are_sent_once(client, monkeypatch):
    monkeypatch.setattr(shards, "_SMALL", 0)
    rng = np.random.default_rng(0)
    options = {"Y": rng.uniform(size=(9, 11, 1)), "sample_weight": rng.uniform(0.1, 1, (9, 11))}
    assert train_many("matrix", client=client, **options) == train_many("matrix", **options)
    assert train_many("matrix", client=client) == train_many("matrix")


def test_a_killed_worker(client, folder, tmp_path):
    """The shards that it had are trained again, from their files, by those that are left. Neither worker goes on before one is killed."""
    epochs, killed, gate = np.where(np.arange(9) < 4, 400_000, 2000), [], tmp_path / "killed"
    client.run(stand_still_until, gate)

    def kill(progress):
        if not killed and len(list(folder.glob("shard-*"))) >= 2:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)
            gate.touch()

    runs = train_many("matrix", epochs, client=client, checkpoint=folder, checkpoint_every=0.05, callback=kill)
    assert killed
    assert killed[0] not in client.run(os.getpid).values()
    assert runs == train_many("matrix", epochs)
    assert_whole(folder, runs)


def test_a_scheduler_that_is_lost_after_the_last_shard(client, monkeypatch):
    """All has come by then."""

    def fail(*arguments, **keywords):
        raise OSError("Timed out trying to connect")

    expected = train_many("matrix")
    monkeypatch.setattr("distributed.Event.clear", fail)
    monkeypatch.setattr(Client, "unsubscribe_topic", fail)
    assert train_many("matrix", client=client) == expected


def test_ended_from_outside_and_resumed(kernel, client, folder):
    """After a second or so; shards that had not begun have a look at it, too."""
    options = {"client": client, "checkpoint": folder}
    runs = train_many(kernel, LONG, callback=lambda progress: progress.epoch > 0, **options)
    assert set(runs.stopped_by) == {"callback"}
    assert runs.cost == pytest.approx([NET.cost(params, X, Y) for params in runs.params], rel=1e-12)
    assert_whole(folder, runs)
    epochs = runs.epochs + 7
    both = train_many(kernel, epochs, resume=True, **options)
    assert both == train_many(kernel, epochs)
    assert_whole(folder, both)


def test_ctrl_c(client, folder, default_handler, monkeypatch):
    """The first stops all shards, the second leaves them, and a later call goes on from their files."""

    def press(times):
        def callback(progress):
            for _ in range(times if progress.epoch > 0 else 0):
                signal.raise_signal(signal.SIGINT)

        return callback

    options = {"client": client, "checkpoint": folder, "checkpoint_every": 0.0}
    runs = train_many("matrix", LONG, callback=press(1), **options)
    assert set(runs.stopped_by) == {"interrupt"}
    with pytest.raises(KeyboardInterrupt):
        train_many("matrix", LONG, resume=True, callback=press(2), **options)
    wait_until_idle(client)
    epochs = fastgd.load_runs(folder).epochs + 10_000
    assert (epochs > 10_000).any()
    both = train_many("matrix", epochs, resume=True, **options)
    assert both == train_many("matrix", epochs)


def test_max_seconds(client):
    assert set(train_many("matrix", LONG, client=client, max_seconds=0.1).stopped_by) == {"max_seconds"}


def test_an_error_in_a_callback(client):
    def callback(progress):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train_many("matrix", LONG, client=client, callback=callback)


# -- joblib ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["loky", "threading", None])
def test_joblib(backend, kernel, folder):
    """Where nothing is set, one shard after another."""
    options = {"checkpoint": folder, "client": "joblib"} | RULES
    if backend is None:
        runs = train_many(kernel, **options)
    else:
        with joblib.parallel_config(backend, n_jobs=2):
            runs = train_many(kernel, **options)
    assert runs == train_many(kernel, **RULES)
    assert_whole(folder, runs)


@pytest.mark.parametrize(
    "own",
    [
        {"dropout": [0.3, 0.3, 0.0, 0.0]},
        {"input_noise": [0.3, 0.3, 0.0, 0.0]},
        {"max_norm": [0.2, 0.2, np.inf, np.inf]},
        {"l2": [0.1, 0.1, 0.0, 0.0]},
        {"optimizer": [fastgd.SGD(momentum=0.9)] * 2 + [fastgd.SGD()] * 2},
        {"learning_rate": [fastgd.schedules.Plateau(0.3, patience=0)] * 2 + [0.1, 0.1]},
        {"learning_rate": [fastgd.schedules.Plateau(0.3, patience=0)] * 2 + [0.1, 0.1], "dropout": 0.2},
    ],
    ids=str,
)
def test_a_shard_asks_for_no_more_than_its_members_do(own):
    given = {"members": 4, "learning_rate": 0.1} | own
    runs = train_many("matrix", client="joblib", **given)
    assert runs == train_many("matrix", **given)
    for i, rng in enumerate(runs.seeds):
        mine = {name: values[i] if isinstance(values, list) else values for name, values in given.items() if name != "members"}
        mine = {name: value for name, value in mine.items() if value is not np.inf}
        one = fastgd.train(NET, X, Y, 60, rng=int(rng), kernel="matrix", **mine)
        assert (one.params == runs.params[i]).all()


def test_joblib_maps_large_rows_into_memory():
    """Which is not to be taken for rows on disk, whose order is another."""
    rows = random_problem(NET, 70_000)[:2]
    options = {"X": rows[0], "Y": rows[1], "batch_size": 1000, "epochs": 1, "members": 2, "learning_rate": 0.1}
    with joblib.parallel_config("loky", n_jobs=2):
        assert train_many("matrix", client="joblib", **options) == train_many("matrix", **options)


def test_joblib_is_ended(kernel, monkeypatch):
    monkeypatch.setattr(shards, "_ASK_SECONDS", 0.05)
    with joblib.parallel_config("threading", n_jobs=2):
        runs = train_many(kernel, LONG, client="joblib", max_seconds=0.1)
        assert set(runs.stopped_by) == {"max_seconds"}
        epochs = np.where(np.arange(len(runs)) % 2, LONG, 1)
        runs = train_many(kernel, epochs, client="joblib", callback=lambda progress: progress.ended > 0)
    assert set(runs.stopped_by) == {"callback", "epochs"}


# -- shards ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kernel", "members", "count"), [("lanes", 1, 1), ("lanes", 200, 3), ("lanes", 10**5, 64), ("matrix", 5, 5)])
def test_every_member_is_in_one_shard(kernel, members, count):
    parts = [np.arange(members)[part] for part in shards_of(kernel, members)]
    assert len(parts) == count
    assert sorted(np.concatenate(parts)) == list(range(members))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_shard_that_is_trained_again_goes_on_from_its_file(kernel, folder, monkeypatch, small_steps):
    """As it is where a worker was lost, here by a link that says stop when it is asked first."""
    monkeypatch.setattr(shards, "_ASK_SECONDS", 0.0)
    whole, seen, train = train_many(kernel), [], shards.Shard.train

    class Link:
        def is_to_stop(self):
            return True

        def tell(self, shard, progress):
            pass

    def interrupted(self, *samples):
        if self.index == 0:
            _, part = train(replace(self, link=Link()), *samples)
            assert np.isin(part.stopped_by, ["", "epochs"]).all()
            assert self.file.load().epochs.tolist() == part.epochs.tolist()
            seen.extend(part.epochs)
        return train(self, *samples)

    monkeypatch.setattr(shards.Shard, "train", interrupted)
    assert train_many(kernel, client="joblib", checkpoint=folder) == whole
    assert 0 < sum(seen) < 60 * len(seen)


# -- what is refused -------------------------------------------------------------------------------------------------------------------


def test_bad_arguments(folder, no_compiled_code, monkeypatch, tmp_path):
    assert_refused(lambda: train_many("matrix", client="dask"), TypeError, ["client", "'dask'", "fastgd[dask]", "joblib"])
    assert_refused(lambda: train_many("matrix", client=3), TypeError, ["client", "3"])
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    assert_refused(lambda: train_many("matrix", client="joblib", X=mapped), ValueError, ["X", "memmap"])
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"checkpoint must name a folder.*file'"):
        train_many("matrix", client="joblib", checkpoint=tmp_path / "file")
    with pytest.raises(FileNotFoundError, match="folder"):
        train_many("matrix", client="joblib", checkpoint=tmp_path / "no" / "folder")
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert_refused(lambda: train_many("matrix", client="joblib"), ImportError, ["fastgd[joblib]"])


def test_another_training_is_refused(folder):
    train_many("matrix", client="joblib", checkpoint=folder)
    options = {"client": "joblib", "checkpoint": folder, "resume": True}
    assert_refused(lambda: train_many("matrix", Y=Y / 2, **options), ValueError, ["runs.npz", "other data"])
    assert_refused(lambda: train_many("matrix", rng=4, **options), ValueError, ["runs.npz", "rng 3", "4"])
    with pytest.raises(IsADirectoryError):
        train_many("matrix", checkpoint=folder)
