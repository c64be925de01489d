"""The lanes kernel: each member against the oracle, and by every option against `train`; lanes do not mix."""

import ast
import builtins

import numpy as np
import oracle
import pytest
from conftest import random_problem
from row_order import order_of
from small_problem import assert_close

import fastgd
from fastgd.kernels import make_plan
from fastgd.kernels.generated import lanes, vocabulary
from fastgd.options import Options

NET = fastgd.MLP(2, 2, 1, activation="tanh")
MEMBERS = 11  # more than one vector of float64 has lanes, and the last is not full
X, Y, _ = random_problem(NET, 4)
RATES = np.linspace(0.05, 0.5, MEMBERS)


def by_lanes(net=NET, rows=(X, Y), epochs=30, rates=RATES, **options):
    runs = fastgd.train_many(net, *rows, epochs, rates, **{"rng": 3, "kernel": "lanes"} | options)
    assert runs.kernel == "lanes"
    return runs


def one_by_one(net=NET, rows=(X, Y), epochs=30, rates=RATES, **options):
    return [fastgd.train(net, *rows, epochs, rate, rng=3 + i, kernel="matrix", **options) for i, rate in enumerate(rates)]


def assert_same(runs, expected, bound=1e-11):
    assert_close(runs.params, np.stack([run.params for run in expected]), bound)
    assert_close(runs.cost, [run.cost for run in expected], bound)
    assert runs.epochs.tolist() == [run.epochs for run in expected]
    assert runs.stopped_by.tolist() == [run.stopped_by for run in expected]


# -- against the oracle ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "net",
    [NET, fastgd.MLP(2, 3, 2, activation="relu", output="softmax", loss="cross_entropy"), fastgd.MLP(1, 1, activation="identity")],
    ids=str,
)
@pytest.mark.parametrize("n", [4, 9, 10])
def test_full_batch(net, n):
    """Four rows are written out, more are taken two at a time."""
    rows = random_problem(net, n)[:2]
    runs = by_lanes(net, rows)
    for i, rate in enumerate(RATES):
        params, costs = oracle.train(net, net.init(3 + i), *rows, 30, rate)
        assert_close(runs.params[i], params, 1e-11)
        assert_close(runs.cost[i], costs[-1], 1e-11)


def test_every_member_has_its_own_order_of_rows():
    rows = random_problem(NET, 11)[:2]
    runs = by_lanes(rows=rows, batch_size=4)
    for i, rate in enumerate(RATES):
        params, _ = oracle.train(NET, NET.init(3 + i), *rows, 30, rate, 4, order=lambda epoch, seed=3 + i: order_of(11, seed, epoch))
        assert_close(runs.params[i], params, 1e-11)


def test_rows_and_weights_of_their_own():
    rng = np.random.default_rng(0)
    many_X, many_Y, weights = rng.normal(size=(MEMBERS, 5, 2)), rng.uniform(size=(MEMBERS, 5, 1)), rng.integers(0, 3, (MEMBERS, 5))
    weights[:, 0] = 1
    for batch_size in (None, 2):
        runs = by_lanes(rows=(many_X, many_Y), sample_weight=weights, batch_size=batch_size)
        for i, rate in enumerate(RATES):
            options = {"sample_weight": weights[i], "batch_size": batch_size}
            one = fastgd.train(NET, many_X[i], many_Y[i], 30, rate, rng=3 + i, kernel="matrix", **options)
            assert_close(runs.params[i], one.params, 1e-11)
            assert_close(runs.cost[i], one.cost, 1e-11)


# -- against train ---------------------------------------------------------------------------------------------------------------------

WAYS = [
    {"optimizer": fastgd.SGD(momentum=0.9, nesterov=True)},
    {"optimizer": "adagrad", "sample_weight": [1, 2, 0, 1]},
    {"optimizer": "adam", "batch_size": 3, "sample_weight": [1, 2, 0, 1]},
    {"optimizer": "adamw", "l2": 0.01, "clip_norm": 0.1},
    {"optimizer": "rprop"},
    {"method": "layerwise"},
    {"method": "central_difference", "eps": 0.01},
    {"method": "finite_difference", "eps": 0.01, "batch_size": 3, "shuffle": False},
]


@pytest.mark.parametrize("options", WAYS, ids=lambda options: "-".join(map(str, options.values())))
def test_options(options):
    assert_same(by_lanes(rates=RATES / 3, **options), one_by_one(rates=RATES / 3, **options), 1e-10)


def test_a_schedule_counts_each_members_updates():
    """Members begin and end at different times."""
    schedule, epochs = fastgd.schedules.Cosine(0.2, steps=40, warmup=5), np.arange(10, 10 + 3 * MEMBERS, 3)
    runs = by_lanes(epochs=epochs, rates=schedule, batch_size=3, optimizer="adam")
    ones = [fastgd.train(NET, X, Y, n, schedule, rng=3 + i, kernel="matrix", batch_size=3, optimizer="adam") for i, n in enumerate(epochs)]
    assert_same(runs, ones)


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam", "batch_size": 3}], ids=str)
def test_float32(options):
    net = fastgd.MLP(2, 2, 1, dtype="float32")
    members = np.linspace(0.01, 0.1, 20)
    assert_same(by_lanes(net, rates=members, **options), one_by_one(net, rates=members, **options), 1e-5)


# -- options of their own --------------------------------------------------------------------------------------------------------------

# rates, and an eps of adamw, with which an ulp of the initial parameters grows to 1e-12 at most: kernels may round as they like
SCHEDULES = [fastgd.schedules.Cosine(0.07, steps=60, warmup=5), 0.03, fastgd.schedules.Step(0.1, every=20, factor=0.5)]
SCHEDULES += [fastgd.schedules.Constant(0.07, warmup=10), fastgd.schedules.Exponential(0.07, factor=0.99)]
OWN = {  # by member
    "momentum": [fastgd.SGD(momentum, nesterov=momentum > 0.5) for momentum in np.arange(MEMBERS) % 5 / 5],
    "rmsprop": [fastgd.RMSprop(rho, eps=1e-3) for rho in np.linspace(0, 0.99, MEMBERS)],
    "adam": [fastgd.Adam(0.9 - 0.05 * i, 0.999 - 0.02 * i, eps=10.0 ** (i - 12)) for i in range(MEMBERS)],
    "adamw": [fastgd.AdamW(0.05 * i, 0.99, eps=1e-3, weight_decay=0.1 * i) for i in range(MEMBERS)],
    "rprop": [fastgd.Rprop(0.5 - 0.02 * i, 1.2 + 0.05 * i, step_max=0.01 * 3**i) for i in range(MEMBERS)],
    "adagrad": [fastgd.Adagrad(eps=10.0**-i) for i in range(MEMBERS)],
    "sgd decay": [fastgd.SGD(momentum, weight_decay=0.1 * momentum, nesterov=momentum > 0.5) for momentum in np.arange(MEMBERS) % 5 / 5],
    "amsgrad": [fastgd.Adam(0.9 - 0.05 * i, 0.8, eps=1e-3, amsgrad=i % 2 == 0) for i in range(MEMBERS)],
    "adamw amsgrad": [fastgd.AdamW(0.9, 0.8, eps=1e-3, amsgrad=i % 2 == 0, weight_decay=0.1 * i) for i in range(MEMBERS)],
    "nadam": [fastgd.NAdam(0.05 * i, 0.999 - 0.02 * i, eps=1e-3, momentum_decay=0.01 * i) for i in range(MEMBERS)],
    "radam": [fastgd.RAdam(0.05 * i, 0.999 - 0.09 * i, eps=1e-3) for i in range(MEMBERS)],
    "adadelta": [fastgd.Adadelta(0.9 - 0.08 * i, eps=1e-3) for i in range(MEMBERS)],
    "lion": [fastgd.Lion(0.05 * i, 0.9 - 0.05 * i, weight_decay=0.05 * i) for i in range(MEMBERS)],
}


@pytest.mark.parametrize("name", OWN)
def test_optimizers_of_their_own(name):
    options = {"sample_weight": [1, 2, 0, 1]} if name in ("adagrad", "adam") else {}
    options |= {"batch_size": 3} if name == "adam" else {}
    rates = RATES / 30
    runs = by_lanes(epochs=50, rates=rates, optimizer=OWN[name], **options)
    ones = [
        fastgd.train(NET, X, Y, 50, rates[i], rng=3 + i, kernel="matrix", optimizer=OWN[name][i], **options) for i in range(MEMBERS)
    ]  # fmt: skip
    assert_same(runs, ones, 1e-9)
    for run, one in zip(runs, ones, strict=True):
        assert run.options["optimizer"] == one.options["optimizer"]
        assert run.state.slots == pytest.approx(one.state.slots, rel=1e-6, abs=1e-9)


def test_schedules_l2_and_clip_norm_of_their_own():
    """None of some of them, in what is compiled for the same with one for all."""
    rates = [SCHEDULES[i % len(SCHEDULES)] for i in range(MEMBERS)]
    l2, clip_norm = np.arange(MEMBERS) % 3 * 0.01, np.where(np.arange(MEMBERS) % 2, 0.1, np.inf)
    runs = by_lanes(epochs=50, rates=rates, optimizer=OWN["adamw"], l2=l2, clip_norm=clip_norm)
    given = [
        {
            "learning_rate": rates[i], "optimizer": OWN["adamw"][i], "l2": l2[i], "clip_norm": clip_norm[i] if i % 2 else None,
            "rng": 3 + i, "kernel": "matrix",
        }
        for i in range(MEMBERS)
    ]  # fmt: skip
    ones = [fastgd.train(NET, X, Y, 50, **each) for each in given]
    assert_same(runs, ones, 1e-9)
    for run, one in zip(runs, ones, strict=True):
        assert {**run.options, "record": 1000} == one.options


def test_float32_has_the_optimizers_numbers_of_float64():
    """1 - 0.9999 is off by a thousandth in float32."""
    net = fastgd.MLP(2, 2, 1, dtype="float32")
    optimizers, rates = [fastgd.Adam(0.9, 0.9999 - 0.0001 * i) for i in range(20)], np.full(20, 0.01)
    runs = by_lanes(net, epochs=50, rates=rates, optimizer=optimizers)
    ones = [fastgd.train(net, X, Y, 50, 0.01, rng=3 + i, kernel="matrix", optimizer=optimizers[i]) for i in range(20)]
    assert_close([run.state.slots for run in runs], [one.state.slots for one in ones], 1e-6)
    assert_same(runs, ones, 1e-5)


# -- histories -------------------------------------------------------------------------------------------------------------------------


def assert_same_histories(runs, ones):
    for run, one in zip(runs, ones, strict=True):
        assert run.history.epoch.tolist() == one.history.epoch.tolist()
        assert_close(run.history.cost, one.history.cost, 1e-9)
        assert run.state.cursor.tolist()[2:5] == one.state.cursor.tolist()[2:5]


@pytest.mark.parametrize("spacing", ["even", "log"])
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("record", [2, 3, 8, 9, 100])
def test_histories(record, batch_size, spacing):
    """Members begin and end at different times, so that points of one are no points of another."""
    options = {"batch_size": batch_size, "record": record, "spacing": spacing}
    epochs = np.array([40, 0, 7, 1, 33, 8, 9, 16, 2, 64, 40, 5, 11, 32, 31, 39, 12, 24, 3])
    rates = np.linspace(0.1, 0.5, len(epochs))
    ones = [fastgd.train(NET, X, Y, n, rates[i], rng=3 + i, kernel="matrix", **options) for i, n in enumerate(epochs)]
    assert_same_histories(by_lanes(epochs=epochs, rates=rates, threads=1, **options), ones)


# -- stopping --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3, 4])
def test_each_stops_by_its_own_rule(batch_size):
    rng = np.random.default_rng(1)
    members = 40
    epochs, patience = rng.integers(0, 60, members), rng.integers(1, 5, members)
    targets, rates = rng.uniform(0, 0.1, members), rng.uniform(0.1, 4.0, members)
    rules = {"patience": patience, "target_cost": targets, "min_delta": 1e-4, "batch_size": batch_size, "record": 6}
    runs = by_lanes(epochs=epochs, rates=rates, **rules)
    ones = [
        fastgd.train(
            NET, X, Y, epochs[i], rates[i], rng=3 + i, kernel="matrix", patience=patience[i], target_cost=targets[i], min_delta=1e-4,
            batch_size=batch_size, record=6,
        )
        for i in range(members)
    ]  # fmt: skip
    assert set(runs.stopped_by) == {"epochs", "target_cost", "patience"}
    assert_same(runs, ones, 1e-9)
    assert_same_histories(runs, ones)


@pytest.mark.parametrize(
    ("output", "loss"), [("softmax", "cross_entropy"), ("softmax", "squared_error"), ("sigmoid", "binary_cross_entropy")]
)
def test_stop_rules_with_every_loss(output, loss):
    """The lines of a loss bind no name of the rules."""
    net = fastgd.MLP(2, 3, 2, output=output, loss=loss)
    rows = random_problem(net, 9)[:2]
    rules = {"target_cost": 1.001 * np.median(by_lanes(net, rows).cost), "patience": 25, "max_seconds": 1e6}
    ones = one_by_one(net, rows, 60, **rules)
    assert_same(by_lanes(net, rows, 60, **rules), ones)
    assert "target_cost" in {run.stopped_by for run in ones}


@pytest.mark.parametrize("watch", [{}, {"target_cost": 0.0}], ids=["unwatched", "watched"])
def test_divergence_is_found_at_its_epoch(watch):
    """Of a line whose rate is too large: the squared cost overflows before the parameters do. Those that converge are not disturbed."""
    net = fastgd.MLP(1, 1, activation="identity")
    rows = np.array([[1.0], [2.0]]), np.array([[2.0], [4.0]])
    rates = np.array([0.1, 0.5, 0.01, 3.0, 0.05, 1e3, 0.1, 1e200, 0.02, 0.7])
    runs = by_lanes(net, rows, 3000, rates, record=7, **watch)
    for i, rate in enumerate(rates):
        try:
            one = fastgd.train(net, *rows, 3000, rate, rng=3 + i, kernel="matrix", record=7, **watch)
        except fastgd.DivergedError as error:
            one = error.run
        assert (runs.stopped_by[i], runs.epochs[i]) == (one.stopped_by, one.epochs), rate
        assert runs.params[i] == pytest.approx(one.params, rel=1e-9)
        assert runs.cost[i] == pytest.approx(one.cost, rel=1e-9, abs=1e-20)
        assert runs[i].history.epoch.tolist() == one.history.epoch.tolist()
        assert runs[i].history.cost == pytest.approx(one.history.cost, rel=1e-9, abs=1e-20)
    assert list(runs.stopped_by).count("diverged") == 5


def test_divergence_in_batches_does_not_depend_on_neighbours():
    """Near overflow the mean cost of an epoch is infinite, finite and infinite again: it is the first that counts."""
    net = fastgd.MLP(1, 1, activation="identity")
    rows = np.array([[1.0], [2.0], [0.5]]), np.array([[2.0], [4.0], [1.0]])
    ends = {int(by_lanes(net, rows, [3000, other], [0.5, 0.01], rng=[4, 5], batch_size=2).epochs[0]) for other in range(1330, 1350, 3)}
    assert len(ends) == 1


# -- lanes do not mix --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 3])
def test_bits_depend_on_the_member_alone(batch_size):
    """Not on who trains beside it, for how long, on how many threads."""
    options = {"batch_size": batch_size, "record": 6}
    runs = by_lanes(epochs=np.arange(20, 20 + MEMBERS), threads=1, **options)
    assert by_lanes(epochs=np.arange(20, 20 + MEMBERS), threads=2, **options) == runs
    for i in (0, 5, MEMBERS - 1):
        alone = by_lanes(epochs=20 + i, rates=RATES[i : i + 1], rng=[3 + i], **options)
        assert alone.params.tobytes() == runs.params[i].tobytes()
        assert alone.cost[0] == runs.cost[i]


# -- the text --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_rows", [False, True])
@pytest.mark.parametrize(("n", "batch_size"), [(4, None), (10, None), (10, 3)])
@pytest.mark.parametrize("form", ["sgd", "adam", "rprop"])
def test_every_name_of_the_text_comes_from_somewhere(form, n, batch_size, own_rows):
    """Imported, an argument or assigned to."""
    if form == "rprop" and batch_size is not None:
        return
    optimizer = {"sgd": fastgd.SGD(), "adam": fastgd.Adam(), "rprop": fastgd.Rprop()}[form]
    options = Options(batch_size=batch_size, optimizer=optimizer, l2=0.1 if form == "adam" else 0.0)
    text = lanes.source(make_plan(NET, n, options, "lanes", 10, members=10, weighted=own_rows, own_rows=own_rows))
    tree = ast.parse(text)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    known = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            known |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef):
            known.add(node.name)
    assert {node.id for node in names if isinstance(node.ctx, ast.Load)} - known - set(dir(builtins)) - set(vars(vocabulary)) == set()
    assert "notes 002" in text
    assert str(NET) in ast.get_docstring(tree)
    assert max(map(len, text.splitlines()[1:])) <= 140
