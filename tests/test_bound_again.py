"""A kernel that was bound for one training is found by the next: nothing of the first is seen, and none of its arrays is kept."""

import gc
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from conftest import random_problem

import fastgd
from fastgd.kernels import binding
from fastgd.kernels.lane_memory import LaneMemory
from fastgd.kernels.shelf import shelf
from fastgd.options import Options

SMALL = fastgd.MLP(2, 2, 1)
WIDE = fastgd.MLP(64, 128, 10, activation="tanh", dtype="float32")
DEEP = fastgd.MLP(40, 150, 100, 3, activation="tanh", dtype="float32")
CASES = {
    "full batch": (SMALL, 10, {}),
    "unrolled": (SMALL, 10, {"kernel": "unrolled"}),
    "unrolled batches": (SMALL, 10, {"kernel": "unrolled", "batch_size": 4}),
    "batches": (SMALL, 10, {"batch_size": 3}),
    "adam": (SMALL, 10, {"optimizer": "adam", "l2": 0.1, "clip_norm": 0.5}),
    "rprop": (SMALL, 10, {"optimizer": "rprop"}),
    "momentum": (SMALL, 10, {"optimizer": fastgd.SGD(0.9), "learning_rate": fastgd.schedules.Cosine(0.3, 20)}),
    "differences": (SMALL, 10, {"method": "central_difference"}),
    "weights": (SMALL, 10, {"weighted": True}),
    "weights, unrolled": (SMALL, 10, {"weighted": True, "kernel": "unrolled"}),
    "validation": (SMALL, 10, {"validation": 0.3, "patience": 5}),
    "validation, unrolled": (SMALL, 10, {"validation": 0.3, "kernel": "unrolled", "batch_size": 2}),
    "rules": (SMALL, 10, {"target_cost": 1e-9, "restore_best": True}),
    "history": (SMALL, 10, {"record": 5, "spacing": "log"}),
    "parts of rows": (WIDE, 300, {"threads": 2}),
    "halves": (WIDE, 300, {"threads": 2, "batch_size": 16}),
    "slices of units": (DEEP, 60, {"threads": 2, "batch_size": 30}),
}


def problems(net, rows, options):
    """Arguments of three trainings that have one plan and one set of options: other rows, weights, seeds and parameters."""
    options = dict(options)
    weighted = options.pop("weighted", False)
    for seed in range(3):
        X, Y, params = random_problem(net, rows, seed=seed)
        weights = {"sample_weight": np.random.default_rng(seed).random(rows)} if weighted else {}
        yield (net, X.astype(net.dtype), Y.astype(net.dtype), 12), {"params": params, "rng": seed} | options | weights


def trained(given):
    """The run of these arguments."""
    positional, named = given
    return fastgd.train(*positional, **named)


def anew(given):
    """The run by a kernel that is bound anew."""
    shelf.clear()
    return trained(given)


@pytest.fixture
def makes(monkeypatch):
    """Which kernels are bound."""
    from fastgd import kernels

    made, load = [], kernels.load
    monkeypatch.setattr(kernels, "load", lambda *arguments: made.append(load(*arguments)) or made[-1])
    return made


@pytest.mark.parametrize("case", CASES)
def test_nothing_of_a_training_is_seen_in_the_next(case, makes):
    """The same bits as by kernels that are bound anew."""
    given = list(problems(*CASES[case]))
    expected = [anew(each) for each in given]
    assert all(one != other for one, other in pairwise(expected))
    makes.clear()
    shelf.clear()
    assert [trained(each) for each in given] == expected
    assert [trained(each) for each in reversed(given)] == expected[::-1]
    assert len(makes) == 1


MEMBERS = 11  # more than a vector has lanes
MANY = {
    "lanes": {},
    "batches": {"batch_size": 3},
    "weights": {"sample_weight": (10,)},
    "own weights": {"sample_weight": (MEMBERS, 10)},
    "own rows": {"X": (MEMBERS, 10, 2)},
    "own rows, weights": {"X": (MEMBERS, 10, 2), "sample_weight": (10,)},
    "momentum": {"optimizer": fastgd.SGD(0.9), "l2": 0.1},
    "rules": {"patience": 3, "record": 5},
}


@pytest.mark.parametrize("case", MANY)
def test_nothing_of_members_is_seen_in_the_next(case, monkeypatch):
    """The same bits as by lanes that are made anew, which are made once; other members have other rows, weights, seeds and epochs."""
    made, make = [], LaneMemory.__init__
    monkeypatch.setattr(LaneMemory, "__init__", lambda *arguments: made.append(1) or make(*arguments))

    def given(seed):
        rng = np.random.default_rng(seed)
        named = {name: rng.random(shape) if isinstance(shape, tuple) else shape for name, shape in MANY[case].items()}
        X, Y = named.pop("X", rng.random((10, 2))), rng.random((10, 1))
        return (SMALL, X, Y, rng.integers(1, 40, MEMBERS)), {"rng": seed, "kernel": "lanes", "threads": 1, **named}

    def trained(seed):
        positional, named = given(seed)
        return fastgd.train_many(*positional, **named)

    expected = []
    for seed in range(3):
        shelf.clear()
        expected.append(trained(seed))
    assert all(one != other for one, other in pairwise(expected))
    made.clear()
    shelf.clear()
    assert [trained(seed) for seed in (0, 1, 2, 1, 0)] == [expected[i] for i in (0, 1, 2, 1, 0)]
    assert len(made) == 1


def test_other_options_have_another_kernel(makes):
    (positional, named), *_ = problems(SMALL, 10, {})
    shelf.clear()
    rates = [0.1, 0.2, 0.1, fastgd.schedules.Constant(0.1)]
    runs = [fastgd.train(*positional, rate, **named) for rate in rates]
    assert runs[0] == runs[2] != runs[1]
    assert len(makes) == 3


def test_from_memory_and_from_a_file(tmp_path, makes):
    """Rows on disk are mixed in windows."""
    ((net, X, Y, epochs), named), *_ = problems(SMALL, 10, {"batch_size": 3})
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    shelf.clear()
    for rows in (X, mapped, X, mapped):
        fastgd.train(net, rows, Y, epochs, **named)
    assert len(makes) == 2


def test_going_on_finds_it_too(makes):
    """A run of so many epochs, one at a time."""
    (positional, named), *_ = problems(SMALL, 10, {"batch_size": 3, "optimizer": "adam"})
    whole = anew((positional, named))
    net, X, Y, epochs = positional
    shelf.clear()
    makes.clear()
    run = fastgd.train(net, X, Y, 1, **named)
    options = {"batch_size": 3, "optimizer": "adam"}
    for _ in range(epochs - 1):
        run = fastgd.train(net, X, Y, 1, params=run, **options)
    assert np.array_equal(run.params, whole.params)
    assert len(makes) == 1


def test_the_order_of_an_epoch_is_that_of_the_seed():
    """Of the epoch too in which another training ended, whose order is still there."""
    (positional, named), *_ = problems(SMALL, 10, {"batch_size": 3})
    run = trained((positional, named))
    given = positional, {"params": run, "rng": 7, "batch_size": 3}
    expected = anew(given)
    assert trained((positional, named)).epochs == run.epochs
    assert trained(given) == expected


@pytest.mark.parametrize("case", ["full batch", "unrolled", "weights", "validation"])
def test_no_array_is_kept(case):
    """Neither rows nor parameters nor the run."""
    (positional, named), *_ = problems(*CASES[case])
    run = trained((positional, named))
    watched = [*positional[1:3], named["params"], run.params, run.state.params, run.history.cost]
    references = [weakref.ref(array) for array in watched]
    del positional, named, run, watched
    gc.collect()
    assert [reference() is None for reference in references] == [True] * len(references)


@pytest.mark.parametrize("case", ["full batch", "unrolled", "halves"])
def test_a_kernel_that_is_not_put_back_is_gone_at_once(case, makes, monkeypatch):
    """Without a search for garbage."""
    from fastgd import kernels

    monkeypatch.setattr(kernels, "put_back", lambda key, bound: None)
    shelf.clear()
    given, *_ = problems(*CASES[case])
    gc.disable()
    try:
        trained(given)
        reference = weakref.ref(makes.pop())
        assert reference() is None
    finally:
        gc.enable()


def test_a_run_is_not_changed_by_the_next():
    """Its arrays are its own."""
    first, second, _ = problems(SMALL, 10, {"restore_best": True})
    run = trained(first)
    params, state, history = run.params.copy(), run.state.copy(), run.history.cost.copy()
    trained(second)
    assert np.array_equal(run.params, params)
    assert run.state == state
    assert np.array_equal(run.history.cost, history)


@pytest.mark.parametrize("case", ["batches", "unrolled", "halves"])
def test_two_at_once(case):
    """Each has a kernel of its own, also where one is free: both are inside at the same time."""
    given = list(problems(*CASES[case]))[:2]
    expected = [anew(each) for each in given]
    inside = threading.Barrier(2, timeout=60)

    def meet(progress):
        if progress.epoch < 12 and not inside.broken:
            inside.wait()

    def train(each):
        positional, named = each
        once = iter([meet])
        return fastgd.train(*positional, **named, callback=lambda progress: next(once, lambda _: None)(progress))

    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            assert list(pool.map(train, given)) == expected


def test_a_training_within_a_training():
    """A callback that trains by the same plan."""
    outer, inner, _ = problems(SMALL, 10, {"batch_size": 3})
    expected = [anew(outer), anew(inner)]
    within = []
    positional, named = outer
    run = fastgd.train(*positional, **named, callback=lambda progress: within.append(trained(inner)))
    assert run == expected[0]
    assert within
    assert all(each == expected[1] for each in within)


class GivenUpError(Exception):
    """A callback's."""


def test_after_an_error():
    """The next one begins as if there had been none."""
    first, second, _ = problems(SMALL, 10, {"batch_size": 3})
    expected = anew(second)

    def give_up(progress):
        raise GivenUpError

    positional, named = first
    for _ in range(2):
        with pytest.raises(GivenUpError):
            fastgd.train(*positional, **named, callback=give_up)
        assert trained(second) == expected


def test_after_a_divergence():
    net = fastgd.MLP(2, 3, 1, activation="identity")
    X, Y, params = random_problem(net, 10)
    given = {"params": params, "rng": 0, "learning_rate": 0.9, "clip_norm": None}
    expected = anew(((net, X / 100, Y / 100, 5), given))
    with pytest.raises(fastgd.DivergedError):
        fastgd.train(net, X * 100, Y * 100, 5000, **given)
    assert fastgd.train(net, X / 100, Y / 100, 5, **given) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_in_a_forked_process():
    """The child binds anew, while the parent may be inside."""
    first, second, _ = problems(SMALL, 10, {"batch_size": 3})
    expected = [anew(first), anew(second)]
    children = []

    def fork(progress):
        if not children:
            children.append(os.fork())
            if children[0] == 0:
                try:
                    os._exit(0 if trained(second) == expected[1] else 1)
                finally:
                    os._exit(2)

    positional, named = first
    assert fastgd.train(*positional, **named, callback=fork) == expected[0]
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
    assert trained(second) == expected[1]


def test_much_memory_is_not_kept():
    """What takes more than 64 MiB."""
    net = fastgd.MLP(1500, 2000, 1)
    shelf.clear()
    fastgd.train(net, np.zeros((1, 1500)), np.zeros((1, 1)), 1, params=net.init(0), rng=0)
    assert not any(shelf._free.values())


class Changing:
    """A number that is not always the same."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


def test_options_are_remembered_by_what_stays_as_it_is():
    """An object of the caller's may mean something else the next time; 1 is not True."""
    names = {each: getattr(Options, each) for each in ("patience", "shuffle", "l2")}
    patience = Changing(3)
    assert Options.of(names | {"patience": patience}).patience == 3
    patience.number = 5
    assert Options.of(names | {"patience": patience}).patience == 5
    rate = np.array(0.1)
    assert Options.of({"learning_rate": rate}).learning_rate == 0.1
    rate[...] = 0.2
    assert Options.of({"learning_rate": rate}).learning_rate == 0.2
    assert Options.of(names) is Options.of(names)
    Options.of({"shuffle": True})
    with pytest.raises(TypeError, match="shuffle"):
        Options.of({"shuffle": 1})


@pytest.mark.parametrize(("rows", "epochs", "expected"), [(300, 1, []), (300, 3, []), (300, 50, [1]), (4000, 1, [1])])
def test_threads_are_started_where_there_is_work_for_them(rows, epochs, expected, monkeypatch):
    """Before the second update, or the first if it is long; to the bits of one thread."""
    from fastgd.kernels.threads.pool import Helpers

    monkeypatch.setattr(binding, "THREADED_SECONDS", 0.001)
    started, start = [], Helpers.start
    monkeypatch.setattr(Helpers, "start", lambda self: started.append(self.count) or start(self))
    X, Y, params = random_problem(WIDE, rows)
    run = fastgd.train(WIDE, X, Y, epochs, params=params, rng=0, threads=2)
    assert started == expected
    assert run == fastgd.train(WIDE, X, Y, epochs, params=params, rng=0, threads=1)
