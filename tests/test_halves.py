"""Hidden layers in two halves: against the oracle, to the same bits whoever does them, in mini-batches of any length."""

import os
import threading

import numpy as np
import oracle
import pytest
from conftest import random_problem
from interruptions import wait_until
from small_problem import assert_close

import fastgd
from fastgd import kernels
from fastgd.kernels.codes import PUT_DOWN, TRAIN
from fastgd.machine.cache import entry
from fastgd.options import Options
from fastgd.samples import Samples
from fastgd.state import EPOCH_COST_SUM

NET = fastgd.MLP(64, 32, 10)
X, Y, PARAMS = random_problem(NET, 150)
PARAMS *= 0.3  # or sigmoids saturate


def plan_of(net, n, batch_size, method="backprop", **options):
    return kernels.make_plan(net, n, Options(batch_size=batch_size, method=method, **options), "matrix")


def train(net=NET, rows=(X, Y), epochs=5, rate=0.2, batch_size=32, **options):
    return fastgd.train(net, *rows, epochs, rate, **{"rng": 0, "kernel": "matrix", "batch_size": batch_size} | options)


def test_halves_depend_on_the_arguments_alone():
    assert [plan_of(NET, 1000, rows).hidden_halves for rows in (8, 27, 28, 32, 256, 257, 1000)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert not plan_of(NET, 32, 32).hidden_halves  # full batch
    assert not plan_of(NET, 1000, 32, "finite_difference").hidden_halves
    assert not plan_of(NET, 1000, 32, optimizer=fastgd.Adam()).hidden_halves
    assert not plan_of(NET, 1000, 32, l2=0.1).hidden_halves
    assert not plan_of(fastgd.MLP(64, 32, 32, 10), 1000, 32).hidden_halves
    assert not plan_of(fastgd.MLP(600, 7, 10), 1000, 32).hidden_halves  # of which neither half would fill a vector
    assert not plan_of(fastgd.MLP(784, 128, 10), 1000, 64).hidden_halves  # which is enough work for more than two threads
    assert plan_of(fastgd.MLP(128, 128, 10), 1000, 64).hidden_halves


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("net", "options"),
    [
        (NET, {}),
        (NET, {"method": "layerwise"}),
        (fastgd.MLP(64, 43, 3, activation="relu", output="softmax", loss="cross_entropy"), {"batch_size": 37}),  # halves of 20 and 23
        (fastgd.MLP(3, 517, 2, activation="tanh", output="identity"), {"batch_size": 29}),  # inputs that fill no vector
        (fastgd.MLP(200, 16, 1, bias=False, loss="binary_cross_entropy"), {"batch_size": 47}),
    ],
    ids=str,
)
def test_the_oracle(net, options, shuffle):
    X, Y, params = random_problem(net, 150)
    params *= 0.1
    options = {"batch_size": 32, "method": "backprop"} | options
    assert plan_of(net, 150, options["batch_size"], options["method"]).hidden_halves
    run = train(net, (X, Y), 4, 0.1, params=params, threads=2, shuffle=shuffle, **options)
    if shuffle:
        assert run == train(net, (X, Y), 4, 0.1, params=params, threads=1, **options)
        return
    gradient = oracle.gradient_by(options["method"], 0.0)
    expected, costs = oracle.train(net, params, X, Y, 4, 0.1, options["batch_size"], gradient=gradient)
    assert_close(run.params, expected)
    assert_close(run.history.cost[: len(costs)], costs)


KINDS = {
    "plain": {},
    "float32": {"net": fastgd.MLP(64, 32, 10, dtype="float32"), "epochs": 20},
    "weighted": {"sample_weight": np.arange(150) % 7},
    "validated": {"validation": random_problem(NET, 60, seed=1)[:2], "patience": 3, "restore_best": True, "rate": 2.0, "epochs": 30},
    "stopped": {"target_cost": 0.2, "epochs": 200},
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_gives_the_same_bits(kind):
    """Whether two threads meet is up to the machine here; see `test_two_threads_meet`."""
    alone, *others = [train(**KINDS[kind], threads=threads) for threads in [1, 2, 3, 11, None]]
    assert alone.cost < alone.history.cost[0]
    assert all(run == alone for run in others)


def test_going_on_to_the_same_bits(path, single_updates):
    """In chunks of one update, ended in the middle of an epoch, and resumed on another number of threads."""
    expected = train(threads=1)
    assert train(threads=2, callback=lambda progress: None) == expected
    looks = iter(range(8))
    ended = train(threads=2, checkpoint=path, callback=lambda progress: next(looks) == 4)
    assert ended.epochs < expected.epochs
    assert train(threads=3, checkpoint=path, resume=True) == expected


HALF = '''"""The updates of an epoch of one half, by a thread that finds the other half taken."""

import numpy as np

from fastgd.machine.jit import kernel
from fastgd.kernels.epoch import problem_of
from fastgd.kernels.matrix.hidden_halves import update_half


@kernel
def train(address, zero, half):
    problem = problem_of(address, zero)
    update_half(problem, half, np.int64(0), problem.data.batches, True, False)
'''


@pytest.mark.parametrize("first", [0, 1])
def test_two_threads_meet(first):
    """Each does its half of every update, the second from when the first waits for it; as the oracle, and to the bits of one thread."""
    options = Options(batch_size=32, learning_rate=0.2, shuffle=False)
    plan, samples = kernels.make_plan(NET, len(X), options, "matrix"), Samples.alike(X, Y)
    assert plan.hidden_halves
    bound = kernels.load(plan, options, samples, threads=2)
    state = bound.start(PARAMS)
    problems = [bound.problem(state, TRAIN, rank=rank) for rank in range(2)]  # structs point to what they keep alive
    structs, update = [bound._struct(problem) for problem in problems], entry("half", HALF, "train", NET.dtype)
    threads = [threading.Thread(target=update, args=(one, half), daemon=True) for half, one in enumerate(structs)]
    threads[first].start()
    wait_until(lambda: bound.queue.counters[PUT_DOWN[first]] == 1)
    assert bound.queue.counters[PUT_DOWN[1 - first]] == 0
    threads[1 - first].start()
    for thread in threads:
        thread.join()
    assert bound.queue.counters[list(PUT_DOWN)].tolist() == [plan.batches] * 2

    expected, (cost, _) = oracle.train(NET, PARAMS, X, Y, 1, 0.2, 32)
    assert_close(state.params[: NET.n_params], expected)
    assert_close(state.sums[EPOCH_COST_SUM] / plan.batches, cost)
    alone = train(epochs=1, params=PARAMS, threads=1, shuffle=False)
    assert np.array_equal(state.params[: NET.n_params], alone.params)
    assert state.sums[EPOCH_COST_SUM] / plan.batches == alone.history.cost[0]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads can't be kept on one processor")
def test_a_thread_without_a_processor_is_not_waited_for():
    """Two threads that take turns on one: who has waited for long does the next stretches alone."""
    expected, processors = train(threads=1, epochs=300), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        assert train(threads=2, epochs=300) == expected
    finally:
        os.sched_setaffinity(0, processors)


def test_a_rate_of_zero_changes_nothing():
    assert np.array_equal(train(rate=0.0, params=PARAMS, threads=2).params, PARAMS)
