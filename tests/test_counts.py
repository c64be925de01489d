"""What counts updates counts those that were made, by whatever batches: schedules, warm-ups and Adam, in runs that go on by others."""

import math

import numpy as np
import pytest

import fastgd
from fastgd import schedules

NET = fastgd.MLP(1, 1, activation="identity", bias=False)
X = np.random.default_rng(0).normal(size=(100, 1))
Y = 3 * X
# (rows, batch size, epochs): 10 updates, 10 in one epoch, 6 in two of which the last is short, 3, 2 of one row
PHASES = [(100, None, 10), (100, 10, 1), (50, 20, 2), (60, None, 3), (2, 1, 1)]
RATES = {
    schedules.InverseTime(0.01, decay=0.5): lambda t: 0.01 / (1 + 0.5 * t),
    schedules.Exponential(0.05, factor=0.9): lambda t: 0.05 * 0.9**t,
    schedules.Step(0.05, every=7, factor=0.5): lambda t: 0.05 * 0.5 ** (t // 7),
    schedules.Cosine(0.05, steps=12, least=0.001, warmup=14): lambda t: (
        0.05 * (t + 1) / 14 if t < 14 else 0.001 + 0.049 * (1 + math.cos(math.pi * min(t - 14, 12) / 12)) / 2
    ),
}


def batches(phases):
    """Index ranges of the rows of every update."""
    for n, size, epochs in phases:
        for _ in range(epochs):
            yield from (slice(start, min(start + (size or n), n)) for start in range(0, n, size or n))


def gradient(w, rows):
    """Of the mean of (x w - 3 x)^2, notes 002 (7)."""
    return 2 * np.mean(X[rows] * (X[rows] * w - Y[rows]))


def descent(rate):
    w = 0.0
    for t, rows in enumerate(batches(PHASES)):
        w -= rate(t) * gradient(w, rows)
    return w


def adam(rate, beta1=0.9, beta2=0.999, eps=1e-8):
    """As PyTorch documents it, with t the number of the update."""
    w = m = v = 0.0
    for t, rows in enumerate(batches(PHASES)):
        g = gradient(w, rows)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        w -= rate(t) * (m / (1 - beta1 ** (t + 1))) / (math.sqrt(v / (1 - beta2 ** (t + 1))) + eps)
    return w


def one(before, n, size, epochs, rate, kernel, optimizer):
    return fastgd.train(
        NET, X[:n], Y[:n], epochs, rate, params=[0.0] if before is None else before, rng=0, batch_size=size, shuffle=False,
        optimizer=optimizer, kernel=kernel,
    )  # fmt: skip


def many(before, n, size, epochs, rate, kernel, optimizer):
    params = np.zeros((2, 1)) if before is None else before
    return fastgd.train_many(
        NET, X[:n], Y[:n], epochs, rate, params=params, rng=0, batch_size=size, shuffle=False, optimizer=optimizer, kernel=kernel
    )


def through_all(train, kernel, rate, optimizer, between=lambda run: run):
    run = None
    for phase in PHASES:
        run = between(train(run, *phase, rate, kernel, optimizer))
    return run


WAYS = [(one, "matrix"), (one, "unrolled"), (many, "matrix"), (many, "lanes")]


@pytest.mark.parametrize(("train", "kernel"), WAYS)
@pytest.mark.parametrize(("optimizer", "oracle"), [("sgd", descent), ("adam", adam)])
@pytest.mark.parametrize("schedule", RATES, ids=lambda schedule: schedule.name)
def test_a_schedule_counts_the_updates_that_were_made(schedule, optimizer, oracle, train, kernel):
    run = through_all(train, kernel, schedule, optimizer)
    np.testing.assert_allclose(run.params, oracle(RATES[schedule]), rtol=1e-12)


def test_the_case_of_the_report():
    schedule = schedules.InverseTime(0.01, decay=0.5)
    before = fastgd.train(NET, X, Y, 10, schedule, params=[0.0], rng=0)
    run = fastgd.train(NET, X, Y, 1, schedule, params=before, batch_size=10, shuffle=False)
    assert before.state.updates == 10
    assert run.state.updates == 20
    assert run.params == pytest.approx([0.28107], abs=5e-6)


@pytest.mark.parametrize(("train", "kernel"), WAYS)
def test_files_keep_the_count(train, kernel, path):
    def saved(run):
        run.save(path)
        return (fastgd.load_run if train is one else fastgd.load_runs)(path)

    schedule = next(iter(RATES))
    run = through_all(train, kernel, schedule, "sgd", saved)
    np.testing.assert_allclose(run.params, descent(RATES[schedule]), rtol=1e-12)


@pytest.mark.parametrize("kernel", ["matrix", "lanes"])
def test_a_member_takes_its_count_along(kernel):
    """From many networks to one, with other batches."""
    schedule = next(iter(RATES))
    runs = None
    for phase in PHASES[:2]:
        runs = many(runs, *phase, schedule, kernel, "sgd")
    run = runs[1]
    for phase in PHASES[2:]:
        run = one(run, *phase, schedule, "matrix", "sgd")
    np.testing.assert_allclose(run.params, descent(RATES[schedule]), rtol=1e-12)


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_a_begun_epoch_counts_with_the_updates_that_it_made(kernel, single_updates):
    """Three of ten batches, then all rows at once: the begun epoch is given up, its updates are not."""
    schedule, told = next(iter(RATES)), []

    def third(progress):
        told.append(progress.epoch)
        return len(told) == 3

    begun = fastgd.train(
        NET, X, Y, 1, schedule, params=[0.0], rng=0, batch_size=10, shuffle=False, kernel=kernel, callback=third
    )  # fmt: skip
    run = fastgd.train(NET, X, Y, 2, schedule, params=begun, shuffle=False, kernel=kernel)
    w = 0.0
    for t, rows in enumerate([slice(0, 10), slice(10, 20), slice(20, 30), slice(0, 100), slice(0, 100)]):
        w -= RATES[schedule](t) * gradient(w, rows)
    assert (begun.state.updates, run.state.updates, run.epochs) == (3, 5, 2)
    np.testing.assert_allclose(run.params, w, rtol=1e-12)
