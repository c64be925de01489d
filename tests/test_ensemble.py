"""train_many: what it returns, what each member may have of its own, and how it is ended from outside."""

import copy
import os
import pickle
import signal
import threading

import numpy as np
import pytest
from interruptions import CtrlC

import fastgd
from fastgd.kernels import make_plan
from fastgd.options import Options

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y = fastgd.data.gate("xor")


def train_many(epochs=50, rate=0.3, **options):
    return fastgd.train_many(NET, X, Y, epochs, rate, **{"rng": 0, "members": 6, "kernel": "matrix"} | options)


@pytest.fixture(scope="module")
def runs():
    return train_many(kernel="lanes", rate=np.linspace(0.1, 1.0, 6))


# -- what comes back -------------------------------------------------------------------------------------------------------------------


def test_shapes(runs):
    assert len(runs) == 6
    assert runs.params.shape == (6, NET.n_params)
    assert runs.params.dtype == NET.dtype
    assert runs.cost.shape == runs.epochs.shape == runs.stopped_by.shape == (6,)
    assert runs.epochs.tolist() == [50] * 6
    assert set(runs.stopped_by) == {"epochs"}
    assert runs.seeds.tolist() == [0, 1, 2, 3, 4, 5]
    assert runs.kernel == "lanes"
    assert runs.seconds > 0


def test_a_member_is_a_run(runs):
    run = runs[2]
    assert isinstance(run, fastgd.Run)
    assert np.array_equal(run.params, runs.params[2])
    assert (run.epochs, run.seed, run.stopped_by, run.cost) == (50, 2, "epochs", runs.cost[2])
    assert run.options["learning_rate"] == pytest.approx(0.46)
    assert runs[-1] == runs[5]
    assert [one.seed for one in runs] == runs.seeds.tolist()
    with pytest.raises(IndexError):
        runs[6]


def test_a_slice_is_runs(runs, path):
    part = runs[1:6:2]
    assert isinstance(part, fastgd.Runs)
    assert list(part) == [runs[1], runs[3], runs[5]]
    assert part.seconds == pytest.approx(runs.seconds / 2)
    part.save(path)
    assert fastgd.load_runs(path) == part
    with pytest.raises(IndexError, match=r"runs\[6:None:None\] of 6 members holds none"):
        runs[6:]


def test_a_member_is_saved_and_gone_on_from(path):
    options = {"optimizer": "adam", "batch_size": 3}
    runs = train_many(**options)
    runs[3].save(path)
    assert fastgd.load_run(path) == runs[3]
    further = fastgd.train(NET, X, Y, 25, 0.3, params=fastgd.load_run(path), **options)
    whole = fastgd.train(NET, X, Y, 75, 0.3, rng=3, kernel="matrix", **options)
    assert further.epochs == 75
    assert further.params.tobytes() == whole.params.tobytes()


def test_the_best(runs):
    assert runs.best_member == np.argmin(runs.cost)
    assert runs.best == runs[runs.best_member]


def test_predictions(runs):
    each = np.stack([NET.predict(params, X) for params in runs.params])
    assert np.array_equal(runs.predict(X), each)
    assert runs.mean_predict(X) == pytest.approx(each.mean(axis=0), rel=1e-14)


def test_diverged_members_are_marked_and_left_out_of_the_mean():
    net = fastgd.MLP(1, 1, activation="identity")
    runs = fastgd.train_many(net, [1.0, 2.0], [2.0, 4.0], 2000, [0.1, 3.0, 0.05], rng=0)
    assert runs.stopped_by.tolist() == ["epochs", "diverged", "epochs"]
    assert np.isfinite(runs.params).all()
    assert np.isfinite(runs.cost).all()
    assert runs.mean_predict([3.0]) == pytest.approx(6.0)


def test_copies_compare(runs):
    assert pickle.loads(pickle.dumps(runs)) == runs
    assert copy.deepcopy(runs) == runs
    assert runs != train_many(rate=np.linspace(0.1, 1.0, 6))
    assert (runs == 1) is False
    assert "6 of MLP(2, 2, 1" in repr(runs)


# -- each is train() ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_bits_of_train(kernel):
    """By these kernels, the members' threads run train itself."""
    epochs, rates = np.array([7, 50, 20, 50, 50, 3]), np.linspace(0.1, 2, 6)
    runs = train_many(epochs, rates, kernel=kernel, batch_size=2, patience=np.arange(4, 10), threads=2)
    assert runs.kernel == kernel
    for i, run in enumerate(runs):
        one = fastgd.train(NET, X, Y, epochs[i], rates[i], rng=i, kernel=kernel, batch_size=2, patience=4 + i)
        assert run.params.tobytes() == one.params.tobytes()
        assert (run.cost, run.epochs, run.stopped_by) == (one.cost, one.epochs, one.stopped_by)


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_bits_of_train_with_options_of_their_own(kernel):
    """History included: the whole run."""
    rates = [fastgd.schedules.Cosine(0.3, steps=20), 0.2, fastgd.schedules.Constant(0.1), fastgd.schedules.Step(0.3, every=7)]
    given = [
        {
            "epochs": 30 + i, "learning_rate": rates[i], "rng": i, "optimizer": fastgd.SGD(momentum=[0.0, 0.5, 0.9, 0.0][i]),
            "l2": 0.01 * (i % 2), "clip_norm": [None, 0.3, None, 0.1][i],
        }
        for i in range(4)
    ]  # fmt: skip
    shared = {"batch_size": 3, "record": 8, "kernel": kernel}
    each = {name: [one[name] for one in given] for name in given[0]} | {"clip_norm": [np.inf, 0.3, np.inf, 0.1]}
    runs = fastgd.train_many(NET, X, Y, **each, **shared)
    for run, one in zip(runs, given, strict=True):
        alone = fastgd.train(NET, X, Y, **one, **shared)
        assert run.params.tobytes() == alone.params.tobytes()
        assert (run.history, run.cost, run.options) == (alone.history, alone.cost, alone.options)
        assert run.state.slots.tobytes() == alone.state.slots.tobytes()
    assert runs.learning_rate.tolist() == [0.3, 0.2, 0.1, 0.3]


def test_history_goes_on():
    whole = fastgd.train(NET, X, Y, 70, 0.3, rng=2, kernel="matrix", record=9)
    run = train_many(29, record=9)[2]
    further = fastgd.train(NET, X, Y, 41, 0.3, params=run, record=9)
    assert further.history == whole.history
    assert further.params.tobytes() == whole.params.tobytes()


def test_one_option_for_all_is_that_of_each():
    """Whether it is said once or for each."""
    adam, cosine = fastgd.Adam(0.8), fastgd.schedules.Cosine(0.1, steps=30)
    once = train_many(rate=cosine, optimizer=adam, l2=0.01, clip_norm=1.0, record=5)
    each = train_many(rate=[cosine] * 6, optimizer=[adam] * 6, l2=[0.01] * 6, clip_norm=np.ones(6), record=5)
    assert once == each
    assert once[0].options["learning_rate"] == cosine
    for change in ({"optimizer": [adam] * 5 + [fastgd.Adam(0.8, eps=1e-7)]}, {"l2": [0.01] * 5 + [0.011]}, {"record": 6}):
        given = {"rate": cosine, "optimizer": adam, "l2": 0.01, "clip_norm": 1.0, "record": 5} | change
        assert train_many(**given) != once


def test_members_are_counted_by_any_option():
    assert len(train_many(3, optimizer=[fastgd.Adam(), "adam"], members=None)) == 2
    assert len(train_many(3, l2=[0.1, 0, 0], members=None)) == 3
    assert len(train_many(3, clip_norm=[0.1, np.inf], members=None)) == 2
    assert len(train_many(3, rate=[0.1, fastgd.schedules.Constant(1.0)], members=None)) == 2


def test_seeds():
    assert train_many(rng=[4, 9], members=None).seeds.tolist() == [4, 9]
    taken = train_many(rng=np.random.default_rng(0)).seeds
    assert taken.tolist() == np.random.default_rng(0).integers(2**63, size=6).tolist()
    first, second = train_many(rng=None).seeds, train_many(rng=None).seeds
    assert np.array_equal(np.diff(first), np.ones(5))
    assert first[0] != second[0]


def test_initial_parameters():
    same = train_many(0, params=np.arange(9.0))
    assert np.array_equal(same.params, np.tile(np.arange(9.0), (6, 1)))
    assert same.cost == pytest.approx([NET.cost(np.arange(9.0), X, Y)] * 6)
    each = np.random.default_rng(0).normal(size=(5, 9))
    assert np.array_equal(train_many(0, params=each, members=None).params, each)
    before = each.copy()
    train_many(5, params=each, members=5)
    assert np.array_equal(each, before)


def test_auto_is_a_matter_of_the_arguments():
    def chosen(members, epochs, net=NET):
        return make_plan(net, 4, Options(), "auto", members * epochs, members=members).kernel

    assert chosen(10_000, 10_000) == "lanes"
    assert chosen(2, 10_000_000) == "matrix"
    assert chosen(10, 10) == "matrix"
    assert chosen(10, 10, fastgd.MLP(2, 2, 1)) == "lanes"  # which come with the package
    assert chosen(10_000, 10_000, fastgd.MLP(64, 32, 10)) == "matrix"


# -- between chunks ----------------------------------------------------------------------------------------------------------------------

LONG = 2_000_000_000


@pytest.fixture(params=["lanes", "matrix"])
def kernel(request):
    return request.param


def test_max_seconds(kernel):
    epochs = [LONG, 5, LONG, 9, LONG, 0]
    runs = train_many(epochs, members=None, kernel=kernel, max_seconds=0.3, threads=2)
    assert runs.stopped_by[[1, 3, 5]].tolist() == (["epochs"] * 3 if kernel == "lanes" else ["max_seconds", "max_seconds", "max_seconds"])
    assert runs.stopped_by[[0, 2, 4]].tolist() == ["max_seconds"] * 3
    for i, params in enumerate(runs.params):
        assert runs.cost[i] == pytest.approx(NET.cost(params, X, Y), rel=1e-12)
        one = fastgd.train(NET, X, Y, min(runs.epochs[i], 1000), 0.3, rng=i, kernel="matrix")
        if runs.epochs[i] <= 1000:
            assert params == pytest.approx(one.params, rel=1e-9)


def test_callback_and_progress(kernel):
    seen = []

    def callback(progress):
        seen.append(progress)
        return progress.epoch > 0 and len(seen) > 3

    told = []
    runs = train_many(LONG, kernel=kernel, callback=callback, progress=told.append)
    assert set(runs.stopped_by) == {"callback"}
    assert seen == told
    assert [one.epoch for one in seen] == sorted(one.epoch for one in seen)
    assert seen[0].epochs == 6 * LONG
    assert (seen[0].ended, seen[0].members) == (0, 6)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("on_interrupt", ["return", "raise"])
def test_interrupt(on_interrupt, kernel, default_handler):
    ctrl_c = CtrlC()
    if on_interrupt == "raise":
        with pytest.raises(KeyboardInterrupt):
            train_many(LONG, kernel=kernel, callback=ctrl_c, on_interrupt="raise")
    else:
        runs = train_many(LONG, kernel=kernel, callback=ctrl_c)
        assert set(runs.stopped_by) == {"interrupt"}
        assert runs.cost == pytest.approx([NET.cost(params, X, Y) for params in runs.params], rel=1e-12)
    ctrl_c.thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_a_callback_ends_the_threads(kernel):
    def callback(progress):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train_many(LONG, kernel=kernel, callback=callback)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("fastgd")] == []
