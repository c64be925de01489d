"""Batches that threads share out: against the oracle, to the same bits on any number of threads, in threads and forks of the user's own."""

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import oracle
import pytest
from conftest import random_problem
from small_problem import assert_close

import fastgd
from fastgd import kernels
from fastgd.kernels.threads import pool
from fastgd.options import Options

WIDE = fastgd.MLP(40, 64, 30, 10, activation="tanh")
X, Y, PARAMS = random_problem(WIDE, 1030)
HELD_OUT = random_problem(WIDE, 300, seed=1)[:2]
MANY = fastgd.MLP(60, 256, 10)  # parameters enough to be updated in slices
WIDER = fastgd.MLP(90, 512, 180, 5, activation="tanh")  # enough for slices of units in any batch

BATCHES = [{}, {"batch_size": 256, "shuffle": False}, {"batch_size": 1029, "shuffle": False}]  # the last batch has 6 rows, or one


def train(net=WIDE, rows=(X, Y), epochs=6, rate=0.05, **options):
    return fastgd.train(net, *rows, epochs, rate, **{"rng": 0, "kernel": "matrix"} | options)


def plan_of(net, n, batch_size=None, method="backprop", kernel="matrix"):
    return kernels.make_plan(net, n, Options(batch_size=batch_size, method=method), kernel)


# -- what is shared out ----------------------------------------------------------------------------------


def test_parts_depend_on_the_work_alone():
    parts = {rows: plan_of(WIDE, rows).row_parts(rows) for rows in [1, 32, 100, 128, 256, 1030, 10**6]}
    assert parts == {1: 1, 32: 1, 100: 1, 128: 2, 256: 4, 1030: 8, 10**6: 8}
    assert plan_of(WIDE, 1030, method="central_difference").row_parts(1030) == 1  # which perturbs the parameters in place
    assert plan_of(fastgd.MLP(2, 8, 1), 10**6, kernel="unrolled").row_parts(10**6) == 1
    assert (plan_of(WIDE, 1030).update_slices, plan_of(MANY, 4).update_slices) == (1, 8)


# -- the same as without ---------------------------------------------------------------------------------


@pytest.mark.parametrize("options", BATCHES)
def test_parts_add_up_to_the_batch(options):
    assert plan_of(WIDE, len(X), options.get("batch_size")).row_parts(options.get("batch_size", len(X))) > 1
    expected, costs = oracle.train(WIDE, PARAMS, X, Y, 6, 0.05, options.get("batch_size"))
    run = train(params=PARAMS, threads=2, **options)
    assert_close(run.params, expected)
    assert_close(run.history.cost[: len(costs)], costs)


UNEVEN = fastgd.MLP(60, 131, 97, 5, activation=["relu", "tanh", "softmax"], loss="cross_entropy")


@pytest.mark.parametrize(
    ("net", "n", "options"),
    [
        (MANY, 70, {}),
        (MANY, 70, {"method": "layerwise"}),
        (MANY, 70, {"batch_size": 20}),  # too little for slabs, but not for slices
        (MANY, 256, {}),
        (MANY, 300, {}),  # more than a block: parts of rows again
        (UNEVEN, 61, {}),
        (UNEVEN, 100, {"batch_size": 50}),
        (fastgd.MLP(300, 256, 3, bias=False, activation="sin"), 40, {"batch_size": 39}),
        (fastgd.MLP(16, 1024, 1, activation="leaky_relu", output="identity"), 32, {}),
        (WIDER, 40, {"batch_size": 30}),
        (WIDER, 150, {"batch_size": 70}),
        (WIDER, 600, {}),  # two blocks
        (WIDER, 610, {"batch_size": 520, "method": "layerwise"}),
    ],
)
def test_slabs_are_whole_layers(net, n, options):
    X, Y, params = random_problem(net, n)
    params *= 0.1  # or wide layers saturate
    plan = plan_of(net, n, options.get("batch_size"), options.get("method", "backprop"))
    assert plan.unit_slices == (plan.batch in range(32, 257) or net is WIDER)
    assert plan.packs == (net is WIDER and plan.batch >= 64)
    gradient = oracle.gradient_by(options.get("method", "backprop"), 0.0)
    expected, costs = oracle.train(net, params, X, Y, 4, 0.05, options.get("batch_size"), gradient=gradient)
    run = train(net, (X, Y), 4, 0.05, params=params, threads=2, shuffle=False, **options)
    assert_close(run.params, expected)
    assert_close(run.history.cost[: len(costs)], costs)


def test_costs_and_gradient_of_slabs():
    X, Y, params = random_problem(WIDER, 600)
    assert_close(WIDER.layer_costs(params, X, Y), oracle.layer_costs(WIDER, params, X, Y))
    cost, gradient = WIDER.cost_and_gradient(params, X, Y)
    assert_close(cost, oracle.cost(WIDER, params, X, Y))
    assert_close(gradient, oracle.gradient(WIDER, params, X, Y))


def test_gradient_of_parts():
    assert_close(WIDE.gradient(PARAMS, X, Y), oracle.gradient(WIDE, PARAMS, X, Y))


MANY_ROWS = random_problem(MANY, 300)[:2]
WIDER_ROWS = random_problem(WIDER, 600)[:2]
# fmt: off
KINDS = {
    "full batch": {},
    "mini-batches": {"batch_size": 256},
    "float32": {"net": fastgd.MLP(40, 64, 30, 10, activation="relu", dtype="float32"), "batch_size": 300, "optimizer": "adam"},
    "clipped": {"batch_size": 256, "optimizer": "adamw", "clip_norm": 0.01, "l2": 1e-3},
    "rprop": {"optimizer": "rprop"},
    "weighted": {"batch_size": 300, "sample_weight": np.arange(1030) % 7},
    "validated": {"batch_size": 300, "validation": HELD_OUT, "patience": 3, "restore_best": True, "rate": 0.5, "epochs": 30},
    "slices": {"net": MANY, "rows": MANY_ROWS, "batch_size": 20, "optimizer": fastgd.SGD(momentum=0.9)},
    "slabs": {"net": MANY, "rows": MANY_ROWS, "batch_size": 64, "optimizer": fastgd.SGD(momentum=0.5)},
    "validated slabs": {
        "net": MANY, "rows": MANY_ROWS, "batch_size": 64, "validation": MANY_ROWS, "optimizer": "adam", "rate": 1e-3, "restore_best": True,
    },
    "wider slabs": {"net": WIDER, "rows": WIDER_ROWS, "batch_size": 550, "epochs": 3, "optimizer": "adam", "rate": 1e-3},
    "clipped slices": {"net": MANY, "rows": MANY_ROWS, "clip_norm": 0.01, "optimizer": "rmsprop", "rate": 1e-3},
}
# fmt: on


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_gives_the_same_bits(kind):
    alone, *others = [train(**KINDS[kind], threads=threads) for threads in [1, 2, 3, 11, None]]
    assert alone.cost < alone.history.cost[0]
    assert all(run == alone for run in others)


@pytest.mark.parametrize("kind", ["full batch", "clipped", "slabs", "validated slabs"])
def test_shared_work_goes_on_to_the_same_bits(kind, path, single_updates):
    """In chunks of one update, ended in the middle of an epoch where it has several, and resumed on another number of threads."""
    expected = train(threads=1, **KINDS[kind])
    assert train(threads=2, callback=lambda progress: None, **KINDS[kind]) == expected
    looks = iter(range(8))
    ended = train(threads=2, checkpoint=path, callback=lambda progress: next(looks) == 4, **KINDS[kind])
    assert ended.epochs < expected.epochs
    assert train(threads=3, checkpoint=path, resume=True, **KINDS[kind]) == expected


# -- threads of the user's own ---------------------------------------------------------------------------


def test_no_thread_is_left():
    """Beside those that last, for calls that other tests have made."""
    during, before = [], helpers()
    train(threads=3, epochs=3, callback=lambda progress: during.append(helpers()))
    assert max(during) == before + 2
    assert helpers() == before

    def fail(progress):
        raise RuntimeError("of the callback")

    with pytest.raises(RuntimeError, match="of the callback"):
        train(threads=3, epochs=100, callback=fail)
    assert helpers() == before


def helpers():
    """Threads of the package."""
    return sum(thread.name.startswith("fastgd") for thread in threading.enumerate())


def test_trainings_side_by_side():
    expected = train(threads=1, batch_size=256, epochs=20)
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda threads: train(threads=threads, batch_size=256, epochs=20), [2, 1, 3, 2, 2, 3]))
    assert all(run == expected for run in runs)


FORK = """
import os, sys
import numpy as np
import fastgd

net = fastgd.MLP(40, 64, 10, dtype="float32")
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(1000, 40)), rng.uniform(size=(1000, 10))
train = lambda: fastgd.train(net, X, Y, 20, 0.1, rng=0, threads=2, kernel="matrix")
before = train()
child = os.fork()
if child == 0:
    os._exit(0 if train() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), train() == before, end="")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child(python):
    assert python(FORK) == "0 True"


def test_more_threads_than_processors_do_not_wait_for_each_other():
    """Whoever leads does what nobody has come for: sixteen threads take turns on two processors without deadlock."""
    runs = [train(batch_size=256, threads=16, epochs=10) for _ in range(3)]
    assert all(run == other for run, other in itertools.pairwise(runs))


# -- threads that cannot be started --------------------------------------------------------------------------------------------------------


def test_a_thread_that_cannot_be_started(monkeypatch):
    """Who was begun is waited for, and the other call is not made."""
    start, started, made = threading.Thread.start, [], []
    has_begun, may_end = threading.Event(), threading.Event()

    def start_one(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    def first():
        has_begun.set()
        may_end.wait()
        made.append("first")

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pool.on_threads([first, lambda: made.append("second")], may_end.set):
        has_begun.wait()
    assert made == ["first"]


def test_training_by_the_threads_that_can_be_started(python):
    """It goes on with those, to the same bits. In a process of its own, which can be given up."""
    assert python(ONE_THREAD).split() == ["1", "True"]


ONE_THREAD = """
import faulthandler, threading
import numpy as np
import fastgd

faulthandler.dump_traceback_later(60, exit=True)
rng = np.random.default_rng(0)
net = fastgd.MLP(30, 200, 10)
X, Y = rng.normal(size=(5000, 30)), rng.random((5000, 10))
alone = fastgd.train(net, X, Y, 2, 0.1, rng=0, kernel="matrix", threads=1).params
start, started = threading.Thread.start, []

def start_one(thread):
    if started:
        raise RuntimeError("can't start new thread")
    started.append(thread)
    start(thread)

threading.Thread.start = start_one
run = fastgd.train(net, X, Y, 2, 0.1, rng=0, kernel="matrix", threads=3)
print(len(started), np.array_equal(run.params, alone))
"""


def test_what_goes_wrong_in_a_thread_is_raised():
    has_begun = threading.Event()

    def fail():
        has_begun.set()
        raise MemoryError("no more")

    with pytest.raises(MemoryError, match="no more"), pool.on_threads([fail]):
        has_begun.wait()
