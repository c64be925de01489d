"""All functions of fastgd.plotting: on what axes they draw, what they refuse before, and when matplotlib is loaded."""

import dataclasses
from functools import cache

import matplotlib
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import assert_refused
from plotted import NET, PARAMS, RUN, XOR

import fastgd
from fastgd import plotting

pytestmark = pytest.mark.usefixtures("figures")


WAY = np.array([PARAMS * 0.2, PARAMS * 0.5 + 1, PARAMS])
CALLS = {
    "gradients": lambda **more: plotting.gradients(NET, PARAMS, *XOR, **more),
    "history": lambda **more: plotting.history(RUN, **more),
    "landscape": lambda **more: plotting.landscape(RUN, *XOR, resolution=3, **more),
    "network": lambda **more: plotting.network(NET, PARAMS, **more),
    "paths": lambda **more: plotting.paths([RUN, RUN], **more),
    "surface": lambda **more: plotting.surface(RUN, *XOR, resolution=3, **more),
    "sweep": lambda **more: plotting.sweep(fastgd.train_many(NET, *XOR, 0, [0.1, 1], params=PARAMS), target=0.1, **more),
    "weights": lambda **more: plotting.weights(NET, PARAMS, **more),
}


def test_every_function_is_here():
    assert set(CALLS) == set(plotting.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_axes_are_given_or_new(name, monkeypatch):
    monkeypatch.setattr(plt, "show", None)
    figure, (_, ax) = plt.subplots(1, 2)
    assert CALLS[name](ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    with np.errstate(all="raise"):
        new = CALLS[name]()
    assert new.figure.number != figure.number
    assert len(plt.get_fignums()) == 2
    new.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_axes_of_a_part_of_a_figure(name):
    figure = plt.figure(layout="constrained")
    ax = figure.subfigures(1, 2)[1].subplots()
    assert CALLS[name](ax=ax) is ax
    figure.canvas.draw()
    assert plt.get_fignums() == [figure.number]
    assert ax.get_position().width > 0.2


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_axes_is_refused(name):
    axes = plt.subplots(1, 2)[1]
    open_before = plt.get_fignums()
    assert_refused(lambda: CALLS[name](ax=axes), TypeError, ["ax must be a matplotlib Axes", "shape (2,)", "one of them"])
    assert_refused(lambda: CALLS[name](ax="here"), TypeError, ["ax must be a matplotlib Axes", "'here'"])
    for projection in ("polar", "3d"):
        with plt.ioff():
            ax = matplotlib.figure.Figure().add_subplot(projection=projection)
        assert_refused(lambda ax=ax: CALLS[name](ax=ax), TypeError, ["ax must be an Axes of two straight axes", projection])
    assert plt.get_fignums() == open_before


@cache
def two_runs():
    """Members without histories and without a target."""
    return fastgd.train_many(NET, *XOR, 0, params=PARAMS, members=2)


REFUSED = [
    (lambda: plotting.history(NET), TypeError, ["run must be a Run", "MLP"]),
    (lambda: plotting.history([]), TypeError, ["run must be a Run", "[]"]),
    (lambda: plotting.history([RUN, None]), TypeError, ["run must be a Run"]),
    (lambda: plotting.history(RUN, labels=["a", "b"]), ValueError, ["labels must be one for each of 1 runs", "2"]),
    (lambda: plotting.history(RUN, labels="a"), TypeError, ["labels must be a sequence of str", "'a'"]),
    (lambda: plotting.network(two_runs()), TypeError, ["net must be an MLP or a Run", "runs.best"]),
    (lambda: plotting.network(NET), TypeError, ["params must be an array of shape (9,)", "None"]),
    (lambda: plotting.network(NET, PARAMS[:8]), ValueError, ["params must have shape (9,)"]),
    (lambda: plotting.network(RUN, PARAMS), TypeError, ["params must be None where net is a Run"]),
    (lambda: plotting.network(RUN, max_units=0), ValueError, ["max_units must be", "at least 1", "0"]),
    (lambda: plotting.weights(NET, PARAMS * np.nan), ValueError, ["params must be finite"]),
    (lambda: plotting.weights(RUN, image=(2, 2)), ValueError, ["image must have as many pixels", "2", "2 x 2"]),
    (lambda: plotting.weights(RUN, image=2), TypeError, ["image must be (height, width)", "2"]),
    (lambda: plotting.surface(NET, *XOR), TypeError, ["run must be a Run or (net, params)", "MLP"]),
    (lambda: plotting.surface(RUN, XOR[0][:, :1], XOR[1]), ValueError, ["X must have shape (n, 2)", "(4, 1)"]),
    (lambda: plotting.surface(RUN, XOR[0], XOR[1][:3]), ValueError, ["X and Y must have the same number of rows", "4 and 3"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=(0, 0)), ValueError, ["inputs must be two different columns", "(0, 0)"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=(0, 2)), ValueError, ["inputs[1] must be", "from 0 to 1", "2"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=("a", "b")), ValueError, ["inputs[0] must be a number", "'a'"]),
    (lambda: plotting.surface(RUN, *XOR, inputs=1), TypeError, ["inputs must be two columns", "1"]),
    (lambda: plotting.surface(RUN, *XOR, output=1), ValueError, ["output must be", "from 0 to 0", "1"]),
    (lambda: plotting.surface(RUN, *XOR, held=[1, 2, 3]), ValueError, ["held must have shape (2,)", "(3,)"]),
    (lambda: plotting.surface(RUN, *XOR, resolution=1), ValueError, ["resolution must be", "at least 2", "1"]),
    (lambda: plotting.paths(two_runs()), ValueError, ["runs must have histories", "record=100", "2"]),
    (lambda: plotting.paths(NET), TypeError, ["runs must be a Run"]),
    (lambda: plotting.sweep(RUN), TypeError, ["runs must be Runs", "learning_rate=rates"]),
    (lambda: plotting.sweep({"a": RUN}), TypeError, ["runs['a'] must be Runs"]),
    (lambda: plotting.sweep({1: two_runs()}), TypeError, ["labels of runs must be str", "1"]),
    (lambda: plotting.history(RUN, labels=3), TypeError, ["labels must be a sequence of str", "3"]),
    (lambda: plotting.sweep({}), ValueError, ["runs must be 1 to 10 Runs", "0"]),
    (lambda: plotting.sweep(two_runs()), ValueError, ["target must be a cost", "target_cost", "None"]),
    (lambda: plotting.sweep(two_runs(), target="low"), TypeError, ["target must be a finite number", "'low'"]),
    (lambda: plotting.gradients(NET, PARAMS, XOR[0]), TypeError, ["Y must be"]),
    (lambda: plotting.gradients(RUN, PARAMS, *XOR), TypeError, ["gradients(run, X, Y) takes no params"]),
    (lambda: plotting.gradients(NET, PARAMS, *XOR, eps=0), ValueError, ["eps must be a positive, finite number", "0"]),
    (lambda: plotting.landscape(RUN, *XOR, path=WAY[:1]), ValueError, ["path must have shape (points, 9)", "(1, 9)"]),
    (lambda: plotting.landscape(RUN, *XOR, path=PARAMS + np.outer([1, 0.5], np.ones(9))), ValueError, ["path must leave the line"]),
    (lambda: plotting.landscape(RUN, *XOR, path=RUN), TypeError, ["path must be parameters or runs", "single"]),
    (lambda: plotting.landscape(RUN, *XOR, path=[RUN, PARAMS]), ValueError, ["path must be runs of"]),
    (lambda: plotting.landscape(RUN, *XOR, rng="seed"), TypeError, ["rng must be", "'seed'"]),
    (lambda: plotting.landscape(RUN, *XOR, span=-1), ValueError, ["span must be a positive", "-1"]),
    (lambda: plotting.landscape(RUN, *XOR, resolution=1), ValueError, ["resolution must be", "at least 2"]),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[" ".join(words)[:40] for _, _, words in REFUSED])
def test_refused_before_drawing(call, error, words):
    assert_refused(call, error, words)
    assert plt.get_fignums() == []


def test_an_estimator_is_told_where_its_run_is():
    @dataclasses.dataclass
    class Model:
        run_: object = None

    assert_refused(lambda: plotting.surface(Model(), *XOR), TypeError, ["run must be a Run", "its attribute run_ is a Run"])


def test_matplotlib_is_loaded_when_something_is_drawn(python):
    program = """
import sys
import fastgd
names = fastgd.plotting.__all__
assert not [name for name in ("matplotlib", "numba") if name in sys.modules]
sys.modules["matplotlib"] = sys.modules["matplotlib.axes"] = None
net = fastgd.MLP(1, 1)
try:
    fastgd.plotting.network(net, [1, 0])
except ImportError as error:
    print(error)
"""
    assert python(program).strip() == "fastgd.plotting needs matplotlib: pip install 'fastgd[plot]'"
