"""Pictures of runs, their numbers against others that are computed here: histories, paths, and who learns in a sweep."""

import numpy as np
import pytest
from plotted import NET, PARAMS, XOR, legend, line, run_of

import fastgd
from fastgd import plotting

pytestmark = pytest.mark.usefixtures("figures")


# -- history


def test_history_has_the_costs_of_the_run():
    run = run_of(epochs=(0, 2, 4, 6), costs=(0.9, 0.5, 0.2, 0.1), validation=(1.0, 0.4, 0.3, 0.6))
    ax = plotting.history(run)
    np.testing.assert_array_equal(line(ax, "training"), [(0, 0.9), (2, 0.5), (4, 0.2), (6, 0.1)])
    np.testing.assert_array_equal(line(ax, "validation"), [(0, 1.0), (2, 0.4), (4, 0.3), (6, 0.6)])
    assert line(ax, "best epoch, 4").tolist() == [[4, 0.3]]
    assert (ax.get_yscale(), ax.get_xscale(), ax.get_xlim()) == ("log", "linear", (0, 6))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epochs", "cost")


def test_history_marks_the_epoch_that_was_watched_for():
    X, Y = XOR
    run = fastgd.train(NET, X, Y, 200, 8.0, params=PARAMS / 20, validation=(X[:3], Y[:3]), restore_best=True)
    ax = plotting.history(run)
    assert line(ax, f"best epoch, {run.best_epoch}").tolist() == [[run.best_epoch, run.best_cost]]
    assert run.best_cost == pytest.approx(NET.cost(run.params, X[:3], Y[:3]), rel=1e-12)


@pytest.mark.parametrize(
    ("costs", "scale"), [((1.0, 0.2), "linear"), ((1.0, 0.1), "log"), ((1.0, 0.0), "linear"), ((1.0, np.nan), "linear")]
)
def test_costs_have_a_log_axis_where_it_serves(costs, scale):
    assert plotting.history(run_of(costs=costs)).get_yscale() == scale


def test_epochs_have_a_log_axis_where_they_were_recorded_so():
    X, Y = XOR
    run = fastgd.train(NET, X, Y, 100, params=PARAMS, spacing="log")
    ax = plotting.history(run)
    assert ax.get_xscale() == "symlog"
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata()[:, 0], run.history.epoch)
    assert plotting.history([run, run_of()]).get_xscale() == "linear"


def test_history_of_several_runs_tells_in_what_they_differ():
    X, Y = XOR
    ways = ((0.1, "sgd"), (0.1, "adam"), (0.5, fastgd.SGD(momentum=0.9)))
    runs = [fastgd.train(NET, X, Y, 4, rate, optimizer=kind, params=PARAMS) for rate, kind in ways]
    expected = ["learning rate 0.1, SGD", "learning rate 0.1, Adam", "learning rate 0.5, SGD, momentum 0.9"]
    assert legend(plotting.history(runs)) == expected
    assert legend(plotting.history([runs[0], runs[0]])) == ["run 0", "run 1"]
    seeds = [fastgd.train(NET, X, Y, 1, rng=seed) for seed in (3, 8)]
    assert legend(plotting.history(seeds)) == ["seed 3", "seed 8"]
    ax = plotting.history(seeds, labels=["one", "other"])
    np.testing.assert_array_equal(line(ax, "other")[:, 1], seeds[1].history.cost)


def test_history_of_many_stresses_the_best():
    runs = [run_of(costs=(0.5, cost)) for cost in (0.3, 0.2, 0.05, 0.4, np.nan, 0.3, 0.3, 0.3, 0.3)]
    ax = plotting.history(runs)
    assert len(ax.get_lines()) == 10
    assert line(ax, "least cost: run 2")[:, 1].tolist() == [0.5, 0.05]


# -- paths and sweep


def test_paths_are_between_their_quantiles():
    costs = np.array([[1.0, 0.5, 0.1], [1.0, 0.9, 0.8], [1.0, 0.2, 0.05], [0.9, 0.7, 0.6], [0.8, 0.4, 0.3]])
    ax = plotting.paths([run_of(epochs=(0, 5, 10), costs=row) for row in costs])
    np.testing.assert_allclose(line(ax, "median of 5"), np.column_stack([(0, 5, 10), np.sort(costs, axis=0)[2]]))
    lines, outer, inner = ax.collections
    np.testing.assert_allclose([one[:, 1] for one in lines.get_segments()], costs)
    half = np.sort(costs, axis=0)[[1, 3]]
    for band, (low, high) in ((inner, half), (outer, [np.quantile(costs, q, axis=0) for q in (0.1, 0.9)])):
        vertices = band.get_paths()[0].vertices
        for epoch, least, most in zip((0, 5, 10), low, high, strict=True):
            there = vertices[vertices[:, 0] == epoch, 1]
            np.testing.assert_allclose((there.min(), there.max()), (least, most))


def test_members_that_ended_keep_their_last_cost():
    ended, other = run_of(epochs=(0, 4), costs=(1.0, 0.2)), run_of(epochs=(0, 8), costs=(1.0, 0.6))
    ax = plotting.paths([ended, other])
    np.testing.assert_allclose(line(ax, "median of 2"), [(0, 1.0), (4, (0.2 + 0.8) / 2), (8, (0.2 + 0.6) / 2)])


@pytest.fixture(scope="module")
def swept():
    """Members of three rates, the last of which is too large."""
    return fastgd.train_many(NET, *XOR, 3000, np.repeat([0.01, 1.0, 5.0], 20), members=60, rng=0, target_cost=0.02)


def test_sweep_counts_who_learns(swept):
    (drawn,) = plotting.sweep(swept).containers
    by_hand = [np.mean([run.cost <= 0.02 for run in list(swept)[start : start + 20]]) for start in (0, 20, 40)]
    assert by_hand[0] == 0 < by_hand[1]
    np.testing.assert_allclose(drawn[0].get_xydata(), np.column_stack([[0.01, 1.0, 5.0], by_hand]))
    assert plotting.sweep(swept).get_xscale() == "log"


def test_sweep_bars_are_wilsons_interval(swept):
    from scipy.stats import binomtest

    (drawn,) = plotting.sweep(swept, target=0.2).containers
    counts = [sum(run.cost <= 0.2 for run in list(swept)[start : start + 20]) for start in (0, 20, 40)]
    for segment, count in zip(drawn[2][0].get_segments(), counts, strict=True):
        interval = binomtest(int(count), 20).proportion_ci(method="wilson")
        np.testing.assert_allclose(segment[:, 1], (interval.low, interval.high), atol=1e-12)


def test_sweep_of_several_by_label(swept):
    ax = plotting.sweep({"as they are": swept, "the first half": swept[:30]})
    assert legend(ax) == ["as they are", "the first half"]
    assert ax.containers[1][0].get_xydata()[:, 0].tolist() == [0.01, 1.0]
