"""Schedules in every kernel against the oracle, and what they keep; PyTorch's trajectories are in test_optimizers."""

import math

import numpy as np
import oracle
import pytest
from conftest import assert_refused, random_problem
from small_problem import assert_close

import fastgd
from fastgd.schedules import KINDS, Constant, CosineRestarts, OneCycle, Piecewise, Plateau, Rates, Schedule, Step

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, PARAMS = random_problem(NET, 11)
HELD_OUT = random_problem(NET, 5, seed=1)[:2]
BATCHES = {None: 1, 4: 3}
BOTH = pytest.mark.parametrize("batch_size", BATCHES)


def trajectory(rates, batch_size):
    """The parameters after an update by each of these rates, and the mean costs of the epochs."""
    params, size, costs = PARAMS, batch_size or len(X), []
    batches = -(-len(X) // size)
    for t, rate in enumerate(rates):
        rows = slice(t % batches * size, (t % batches + 1) * size)
        costs.append(oracle.cost(NET, params, X[rows], Y[rows]))
        params = params - rate * oracle.gradient(NET, params, X[rows], Y[rows])
    return params


def by_all(schedules, epochs, batch_size, **options):
    """The parameters by each of the schedules, for each kernel."""
    options = {"params": PARAMS, "batch_size": batch_size, "shuffle": False} | options
    yield from fastgd.train_many(NET, X, Y, epochs, schedules, kernel="lanes", rng=0, **options).params
    for kernel in ("matrix", "unrolled"):
        for schedule in schedules:
            yield fastgd.train(NET, X, Y, epochs, schedule, kernel=kernel, rng=0, **options).params


@BOTH
def test_rates_one_by_one(batch_size):
    """Tables of several lengths, and a number beside them."""
    batches = BATCHES[batch_size]
    given = [np.linspace(0.05, 0.5, 7), [0.3], np.array([0.2, 0.1, 0.3], np.float32)]
    schedules = [Rates(given[0]), Rates(given[1], every=2), Rates(given[2], every=batches), 0.2]
    expected = [
        trajectory([given[0][min(t, 6)] for t in range(5 * batches)], batch_size),
        trajectory([0.3] * 5 * batches, batch_size),
        trajectory([float(given[2][min(t // batches, 2)]) for t in range(5 * batches)], batch_size),
        trajectory([0.2] * 5 * batches, batch_size),
    ]
    for i, params in enumerate(by_all(schedules, 5, batch_size)):
        assert_close(params, expected[i % 4], 1e-11)


@BOTH
def test_pieces_cycles_and_restarts(batch_size):
    times = range(6 * BATCHES[batch_size])

    def restarted(t):
        length = 2
        while t >= length:
            t, length = t - length, 3 * length
        return 0.1 + 0.2 * (1 + math.cos(math.pi * t / length))

    pieces, restarts = Piecewise(0.3, (2, 5), (0.2, 0.4), warmup=1), CosineRestarts(0.5, 2, 3, 0.1)
    expected = [
        trajectory([0.3 if t < 3 else 0.2 if t < 6 else 0.4 for t in times], batch_size),
        trajectory([restarted(t) for t in times], batch_size),
    ]
    for i, params in enumerate(by_all([pieces, restarts], 6, batch_size)):
        assert_close(params, expected[i % 2], 1e-11)


def reduced(costs, rate, factor, patience, threshold, cooldown, least):
    """The rate after each of the costs, as PyTorch's source has it."""
    best, bad, cooling, rates = math.inf, 0, 0, []
    for cost in costs:
        if cost < best * (1 - threshold):
            best, bad = cost, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            rate, cooling, bad = max(rate * factor, least), cooldown, 0
        rates.append(rate)
    return rates


@BOTH
@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_a_plateau_of_the_validation_cost(kernel, batch_size):
    numbers = {"rate": 2.0, "factor": 0.5, "patience": 1, "threshold": 0.2, "cooldown": 2, "least": 0.3}
    params, rate, costs = PARAMS, 2.0, []
    for _ in range(15):
        params, _ = oracle.train(NET, params, X, Y, 1, rate, batch_size)
        costs.append(oracle.cost(NET, params, *HELD_OUT))
        rate = reduced(costs, **numbers)[-1]
    assert rate < 1
    options = {"params": PARAMS, "batch_size": batch_size, "shuffle": False, "validation": HELD_OUT}
    run = fastgd.train(NET, X, Y, 15, Plateau(**numbers), kernel=kernel, **options)
    assert_close(run.params, params, 1e-10)
    assert run.state.plateau[0] == rate


PLATEAU = Plateau(1.0, factor=0.5, patience=1, threshold=0.1, cooldown=1)


@BOTH
@pytest.mark.parametrize("kernel", ["matrix", "lanes", "unrolled"])
def test_a_plateau_goes_on(kernel, batch_size, path):
    """Stopped anywhere, to the bits of one training; members beside others with other schedules."""
    options = {"params": PARAMS, "batch_size": batch_size, "kernel": kernel}
    if kernel != "lanes":
        whole = fastgd.train(NET, X, Y, 20, PLATEAU, rng=3, **options)
        part = fastgd.train(NET, X, Y, 9, PLATEAU, rng=3, **options)
        part.save(path)
        assert fastgd.train(NET, X, Y, 11, PLATEAU, **options | {"params": fastgd.load_run(path)}) == whole
        return
    rates = [PLATEAU, 0.2, Step(0.5, every=7), Plateau(2.0, factor=0.3, patience=0)]
    whole = fastgd.train_many(NET, X, Y, 20, rates, rng=3, **options)
    part = fastgd.train_many(NET, X, Y, 9, rates, rng=3, **options)
    part.save(path)
    again = fastgd.train_many(NET, X, Y, 11, rates, **options | {"params": fastgd.load_runs(path)})
    assert again.states == whole.states
    assert (again.cost == whole.cost).all()
    assert whole.states.plateau[0, 0] < 1
    for i, rate in enumerate(rates):
        one = fastgd.train(NET, X, Y, 20, rate, rng=3 + i, **options | {"kernel": "matrix"})
        assert_close(whole.params[i], one.params, 1e-9)
        assert one.options["learning_rate"] == whole[i].options["learning_rate"]
        assert one.state.plateau.shape == whole[i].state.plateau.shape


def test_a_plateau_begins_anew_with_other_numbers():
    run = fastgd.train(NET, X, Y, 20, PLATEAU, params=PARAMS, kernel="matrix")
    other = fastgd.train(NET, X, Y, 0, Plateau(0.7), params=run, kernel="matrix")
    assert other.state.plateau.tolist() == [0.7, math.inf, 0, 0, 20]


def test_members_by_the_matrix_kernel():
    """In turn, those on a plateau for themselves."""
    rates = [PLATEAU, 0.2, Step(0.5, every=7), PLATEAU, Rates((0.3, 0.2))]
    runs = fastgd.train_many(NET, X, Y, 20, rates, params=PARAMS, rng=3, kernel="matrix")
    for i, run in enumerate(runs):
        one = fastgd.train(NET, X, Y, 20, rates[i], params=PARAMS, rng=3 + i, kernel="matrix")
        assert (run.params == one.params).all()


@pytest.mark.parametrize("kind", KINDS.values())
def test_numbers_and_back(kind):
    given = {"steps": 7, "every": 3, "decay": 0.1, "factor": 0.5, "begins": (1, 5), "rates": (0.1, 0.2)}
    own = {name: value for name, value in given.items() if name in kind.__dataclass_fields__}
    schedule = kind(**own) if kind is Rates else kind(0.3, **own)
    assert kind.of([*schedule.numbers, 0.0, 0.0]) == schedule
    assert len(schedule.numbers) >= 4


V, T = ValueError, TypeError


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: OneCycle(0.1, steps=1), V, ["steps of OneCycle", "from 2", "got 1"]),
        (lambda: OneCycle(0.1, 10, rise=1), V, ["rise of OneCycle", "below 1", "got 1"]),
        (lambda: OneCycle(0.1, 10, divisor=0), V, ["divisor of OneCycle", "positive", "got 0"]),
        (lambda: CosineRestarts(0.1, 10, growth=1.5), V, ["growth of CosineRestarts", "whole number", "got 1.5"]),
        (lambda: Piecewise(0.1, (3, 2), (0.1, 0.2)), V, ["begins of Piecewise", "rise", "(3, 2)"]),
        (lambda: Piecewise(0.1, (3,), (0.1, 0.2)), V, ["begins and rates of Piecewise", "1 and 2"]),
        (lambda: Piecewise(0.1, (-1,), (0.1,)), V, ["begins of Piecewise", "from 0", "-1"]),
        (lambda: Rates([]), T, ["rates of Rates", "one number or more", "[]"]),
        (lambda: Rates("0.1"), T, ["rates of Rates", "one number or more", "'0.1'"]),
        (lambda: Rates([0.1, math.nan]), V, ["rates of Rates", "finite", "nan"]),
        (lambda: Rates([0.1], every=0), V, ["every of Rates", "from 1", "0"]),
        (lambda: Plateau(0.1, factor=0), V, ["factor of Plateau", "positive", "0"]),
        (lambda: Plateau(0.1, threshold=1), V, ["threshold of Plateau", "below 1", "1"]),
        (lambda: Plateau(0.1, factor=1), V, ["factor of Plateau", "below 1", "1"]),
        (lambda: Plateau(0.1, patience=-1), V, ["patience of Plateau", "from 0", "-1"]),
        (lambda: Constant(0.1, warmup=0.5), V, ["warmup of Constant", "whole number", "0.5"]),
    ],
)
def test_refused(make, error, words):
    assert_refused(make, error, words)


def test_a_users_own_class_is_refused():
    """It would not be among what is compiled."""

    class Mine(Schedule):
        at = staticmethod(lambda rate: rate)

    assert_refused(lambda: fastgd.train(NET, X, Y, 1, Mine(0.1)), T, ["learning_rate", "Rates", "Mine(rate=0.1)"])
