"""The plan of a training: which kernel is chosen, what it says about batches, and which plans share compiled code."""

from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import plan_of, random_problem

import fastgd
from fastgd import kernels
from fastgd.machine import cache
from fastgd.names import METHODS
from fastgd.options import Options
from fastgd.samples import Samples

NAND = fastgd.MLP(2, 1)
XOR = fastgd.MLP(2, 2, 1)
OTHER = fastgd.MLP(2, 3, 1)  # no code of which comes with the package


def test_batches():
    assert [plan_of(NAND, 10, size).batches for size in (None, 1, 3, 5, 9, 10)] == [1, 10, 4, 2, 2, 1]


# -- which kernel -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "n", "batch_size", "method", "epochs", "expected"),
    [
        (NAND, 4, None, "backprop", 0, "matrix"),
        (NAND, 4, None, "backprop", 1, "unrolled"),  # which comes with the package
        (NAND, 4, None, "finite_difference", 1, "unrolled"),
        (NAND, 4, None, "central_difference", 1, "matrix"),  # which does not
        (XOR, 4, None, "backprop", 1, "unrolled"),
        (XOR, 5, None, "backprop", 10_000, "matrix"),
        (XOR, 5, None, "backprop", 100_000_000, "unrolled"),
        (OTHER, 4, None, "backprop", 100_000, "matrix"),
        (OTHER, 4, None, "backprop", 100_000_000, "unrolled"),
        (OTHER, 4, None, "central_difference", 100_000, "matrix"),
        (OTHER, 4, None, "central_difference", 10_000_000, "unrolled"),
        (XOR, 10_000, 10, "backprop", 10, "matrix"),
        (XOR, 10_000, 10, "backprop", 10_000, "unrolled"),
        (fastgd.MLP(2, 16, 1, dtype="float32"), 1024, 32, "backprop", 1_000_000, "unrolled"),
        (fastgd.MLP(64, 32, 10), 1000, 32, "backprop", 10**9, "matrix"),
        (fastgd.MLP(10, 10, 10), 1000, None, "central_difference", 10**9, "matrix"),
        (fastgd.MLP(5000, 5000, 10), 1000, 32, "backprop", 10**9, "matrix"),
    ],
)
def test_auto(net, n, batch_size, method, epochs, expected):
    assert plan_of(net, n, batch_size, method=method, epochs=epochs).kernel == expected


@pytest.mark.parametrize("method", METHODS)
def test_more_epochs_never_choose_matrix_again(method):
    chosen = [plan_of(OTHER, method=method, epochs=2**i).kernel for i in range(40)]
    assert chosen == sorted(chosen)
    assert set(chosen) == {"matrix", "unrolled"}


@pytest.mark.parametrize("kernel", ["matrix", "unrolled"])
def test_going_on_keeps_the_kernel(kernel, monkeypatch):
    """Whatever auto would choose for the further epochs."""
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(XOR, X, Y, 10, rng=0, kernel=kernel)
    other = {"matrix": "unrolled", "unrolled": "matrix"}[kernel]
    monkeypatch.setattr("fastgd.kernels.choice._quickest", lambda plan, *more: replace(plan, kernel=other))
    monkeypatch.setattr("fastgd.kernels.make_plan", kernels.make_plan.__wrapped__)  # which remembers no plan
    assert fastgd.train(XOR, X, Y, 10, rng=0).kernel == other
    assert fastgd.train(XOR, X, Y, 10, params=run).kernel == kernel
    assert fastgd.train(XOR, X, Y, 10, params=run, kernel=other).kernel == other


@pytest.mark.parametrize(
    ("net", "method"),
    [(fastgd.MLP(64, 32, 10), "backprop"), (fastgd.MLP(500, 500, 10), "backprop"), (fastgd.MLP(2, 20, 10), "finite_difference")],
)
def test_too_large_to_unroll(net, method, monkeypatch):
    """Refused before anything is compiled: the kernel, the limit and what came are named."""
    compiled = []
    monkeypatch.setattr(cache.Entry, "_prepare", lambda self: compiled.append(self.name))
    X, Y, params = random_problem(net, 4)
    with pytest.raises(ValueError, match=r"kernel 'unrolled' serves .* at most \d+ lines; got ") as caught:
        fastgd.train(net, X, Y, 10, params=params, method=method, kernel="unrolled")
    most = int(str(caught.value).split("at most ")[1].split()[0])
    assert int(str(caught.value).split()[-1]) > most
    assert str(net) in str(caught.value)
    assert method in str(caught.value)
    assert compiled == []


# -- the name of a module ----------------------------------------------------------------------------------------------------------


def entry_of(plan):
    """The compiled loop of the unrolled kernel."""
    X, Y, _ = random_problem(plan.net, plan.n)
    return kernels.load(replace(plan, kernel="unrolled"), Options(), Samples.alike(X, Y)).entry("train")


def test_other_plans_are_other_modules():
    nets = [
        XOR,
        NAND,
        fastgd.MLP(1, 1, activation="identity", bias=False),
        fastgd.MLP(3, 2, 2, activation="leaky_relu", output="softmax", loss="cross_entropy"),
        fastgd.MLP(2, 2, 1, loss="binary_cross_entropy", bias=False, dtype="float32"),
        fastgd.MLP(2, 1, 2),
        fastgd.MLP(2, 2, 1, dtype="float32"),
        fastgd.MLP(2, 2, 1, activation="tanh"),
        fastgd.MLP(2, 2, 1, bias=False),
    ]
    nets += [fastgd.MLP(2, 2, 1, output="tanh"), fastgd.MLP(2, 2, 1, loss="binary_cross_entropy"), fastgd.MLP(2, 2, 2, output="softmax")]
    plans = [plan_of(net, n, batch_size, method=method) for net in nets for n, batch_size in [(3, None), (4, None), (17, None), (17, 5)]
             for method in ("backprop", "finite_difference", "central_difference")]  # fmt: skip
    plans += [plan_of(net, method="layerwise") for net in nets if net.loss == "squared_error" and len(net.layers) > 1]
    names = [entry_of(plan).name for plan in plans]
    assert len(set(names)) == len(names)
    assert all(name.startswith("unrolled_") and name.isidentifier() for name in names)


def test_numbers_alone_make_no_other_module():
    """Epochs and batch sizes, a seed, a rate: the same code, compiled once."""
    epochs = [entry_of(plan_of(XOR, epochs=epochs)) for epochs in (0, 10, 10**9)]
    batches = [entry_of(plan_of(XOR, 17, size, shuffle)) for size, shuffle in [(2, True), (5, True), (16, True), (5, False)]]
    batches += [entry_of(plan_of(XOR, 1000, 5))]
    for entries in (epochs, batches):
        assert all(a is b for a, b in pairwise(entries))


def test_one_compilation_serves_all_numbers(monkeypatch):
    X, Y = fastgd.data.gate("xor")
    fastgd.train(XOR, X, Y, 10, 0.5, rng=0, kernel="unrolled")
    monkeypatch.setattr(cache.Entry, "_prepare", lambda self: pytest.fail("compiled again"))
    runs = [
        fastgd.train(XOR, X, Y, epochs, rate, rng=seed, kernel="unrolled")
        for epochs, rate, seed in [(10, 0.5, 1), (11, 0.5, 1), (10, 0.6, 1)]
    ]
    assert len({run.params.tobytes() for run in runs}) == 3
