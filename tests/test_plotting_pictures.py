"""Looks of pictures against those in tests/baseline, without any text, which fonts and versions of matplotlib set differently.

pytest tests/test_plotting_pictures.py --mpl-generate-path=tests/baseline      # draws these anew: look at them
"""

import dataclasses

import matplotlib
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text
from plotted import NET, PARAMS, XOR, run_of

import fastgd
from fastgd import plotting

pytestmark = pytest.mark.usefixtures("figures")


picture = pytest.mark.mpl_image_compare(baseline_dir="baseline", tolerance=1, style="default", savefig_kwargs={"dpi": 60})


@pytest.fixture
def ax():
    """In a figure whose layout no text changes."""
    return plt.figure(figsize=(4, 3)).add_axes((0.1, 0.1, 0.8, 0.75))


def without_text(ax):
    """The figure, with all text and legends hidden."""
    for one in ax.figure.findobj(Text):
        one.set_visible(False)
    for one in ax.figure.findobj(matplotlib.legend.Legend):
        one.set_visible(False)
    return ax.figure


def course(least, epochs=200):
    """Costs that fall to a least one, by a formula."""
    return least + (1 - least) * np.exp(-np.arange(epochs) / 20) * (1 + 0.2 * np.sin(np.arange(epochs) / 5))


@picture
def test_picture_of_history(ax):
    epochs = np.arange(200)
    run = run_of(epochs=epochs, costs=course(0.01), validation=course(0.05) + (epochs / 400) ** 2)
    return without_text(plotting.history(run, ax=ax))


@picture
def test_picture_of_histories(ax):
    runs = [run_of(epochs=np.arange(200), costs=course(least), validation=1.3 * course(least)) for least in (0.2, 0.05, 0.01)]
    return without_text(plotting.history(runs, labels=["a", "b", "c"], ax=ax))


@picture
def test_picture_of_network(ax):
    return without_text(plotting.network(NET, PARAMS, ax=ax))


@picture
def test_picture_of_large_network(ax):
    net = fastgd.MLP(784, 100, 10)
    return without_text(plotting.network(net, np.sin(np.arange(net.n_params) ** 1.5), max_units=6, ax=ax))


@picture
def test_picture_of_weights(ax):
    return without_text(plotting.weights(NET, PARAMS, ax=ax))


@picture
def test_picture_of_weights_of_pixels(ax):
    net = fastgd.MLP(64, 7, 10)
    return without_text(plotting.weights(net, np.sin(np.arange(net.n_params) ** 1.1), image=(8, 8), ax=ax))


@picture
def test_picture_of_surface(ax):
    return without_text(plotting.surface((NET, PARAMS), *XOR, resolution=60, ax=ax))


@picture
def test_picture_of_regions(ax):
    net = fastgd.MLP(2, 3, 3, activation="tanh", output="softmax", loss="cross_entropy")
    params = 2 * np.sin(np.arange(net.n_params) ** 1.3)
    X = np.column_stack([np.cos(np.arange(30.0)), np.sin(2 * np.arange(30.0))])
    return without_text(plotting.surface((net, params), X, np.eye(3)[np.arange(30) % 3], resolution=60, ax=ax))


@picture
def test_picture_of_values(ax):
    net = fastgd.MLP(3, 3, 1, activation="tanh", output="identity")
    X = np.sin(np.outer(np.arange(30.0), [1, 2, 3]))
    Y = X[:, :1] - X[:, 1:2]
    return without_text(plotting.surface((net, np.sin(np.arange(net.n_params) ** 1.3)), X, Y, inputs=(2, 0), resolution=60, ax=ax))


@picture
def test_picture_of_curve(ax):
    net = fastgd.MLP(1, 3, 2, activation="tanh", output="identity")
    X = np.linspace(-3, 3, 25)[:, None]
    return without_text(plotting.surface((net, np.sin(np.arange(net.n_params) ** 1.3)), X, np.hstack([np.sin(X), np.cos(X)]), ax=ax))


@picture
def test_picture_of_paths(ax):
    runs = [run_of(epochs=np.arange(200), costs=course(10.0**-k)) for k in np.linspace(0.3, 3, 20)]
    return without_text(plotting.paths(runs, ax=ax))


@picture
def test_picture_of_sweep(ax):
    runs = fastgd.train_many(NET, *XOR, 0, np.repeat([0.1, 1.0, 10.0], 10), params=PARAMS, members=30)

    def of(*by_rate):
        """Ten members a rate, so many of which have learned."""
        return dataclasses.replace(runs, cost=np.where(np.tile(np.arange(10), 3) < np.repeat(by_rate, 10), 0.001, 0.2))

    return without_text(plotting.sweep({"one": of(4, 9, 1), "other": of(0, 6, 8)}, target=0.01, ax=ax))


@picture
def test_picture_of_gradients(ax):
    return without_text(plotting.gradients(NET, PARAMS / 10, *XOR, ax=ax))


@picture
def test_picture_of_many_gradients(ax):
    net = fastgd.MLP(2, 8, 1)
    return without_text(plotting.gradients(net, np.sin(np.arange(net.n_params) ** 1.3), *XOR, ax=ax))


@picture
def test_picture_of_landscape(ax):
    return without_text(plotting.landscape((NET, PARAMS / 4), *XOR, resolution=25, ax=ax))


@picture
def test_picture_of_path(ax):
    t = np.linspace(0, 1, 12)[:, None]
    way = PARAMS * t + np.sin(np.arange(9.0)) * np.sin(np.pi * t) * 3
    return without_text(plotting.landscape((NET, PARAMS), *XOR, path=way, resolution=25, ax=ax))
