"""The pictures of the docs, by fastgd.plotting: XOR, a spiral and digits, and one of everything.

    python pictures.py                  # writes docs/pictures/*.png
    python pictures.py --out FOLDER     # elsewhere
    python pictures.py xor              # some of them

It needs matplotlib, and scikit-learn for its digits: pip install 'fastgd[plot,sklearn]'.
"""

import argparse
import io
from functools import cache
from pathlib import Path

import numpy as np

import fastgd

MOST_BYTES = 60_000  # of a picture
FOLDER = Path(__file__).parent.parent / "docs" / "pictures"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *MAKERS], metavar="NAME", help=f"which: {', '.join(MAKERS)}; all if not given")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER", help="where to write them (default: docs/pictures)")
    options = parser.parse_args()
    try:
        import matplotlib
        import sklearn  # noqa: F401
    except ImportError as error:
        parser.exit(1, f"{error}: pip install 'fastgd[plot,sklearn]'\n")
    matplotlib.use("agg")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or MAKERS:
        for picture, ax in MAKERS[name]():
            file = options.out / f"{name}-{picture}.png" if picture else options.out / f"{name}.png"
            write(ax.figure, file)
            print(f"{file.name:<28} {file.stat().st_size / 1024:5.1f} KiB")


def write(figure, file):
    """As a PNG of at most 60 kB: of so many dots an inch and so many colours as that has room for."""
    import matplotlib.pyplot as plt

    for dpi, colors in ((100, 256), (80, 256), (80, 32), (60, 256)):
        data = png(figure, dpi, colors)
        if len(data) <= MOST_BYTES:
            break
    plt.close(figure)
    file.write_bytes(data)


def png(figure, dpi, colors):
    from PIL import Image

    pixels, data = io.BytesIO(), io.BytesIO()
    figure.savefig(pixels, dpi=dpi, metadata={"Software": None})
    image = Image.open(pixels).convert("RGB")
    image.quantize(colors, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(data, "png", optimize=True)
    return data.getvalue()


def trained_with_way(net, X, Y, stages, **options):
    """The run of so many epochs at a time, and its parameters at each stop."""
    run = fastgd.train(net, X, Y, 0, **options)
    way = [run.params]
    for epochs in stages:
        run = fastgd.train(net, X, Y, int(epochs), **(options | {"params": run}))
        way.append(run.params)
    return run, np.array(way)


# -- XOR, by the notes' 2-2-1


def xor_run():
    X, Y = fastgd.data.gate("xor")
    net = fastgd.MLP(2, 2, 1)
    stages = np.diff(np.unique(np.geomspace(1, 100_000, 60).astype(int)), prepend=0)
    return X, Y, *trained_with_way(net, X, Y, stages, learning_rate=0.5, rng=3, spacing="log")


def xor():
    plot = fastgd.plotting
    X, Y, run, way = xor_run()
    yield "history", plot.history(run)
    yield "network", plot.network(run)
    yield "weights", plot.weights(run)
    yield "surface", plot.surface(run, X, Y)
    yield "landscape", plot.landscape(run, X, Y, path=way, resolution=61)
    start = run.net.init(3)
    yield "gradients", plot.gradients(run.net, start, X, Y)
    yield "paths", plot.paths(paths_of_xor())
    yield "sweep", plot.sweep(sweep_of_xor())


@cache
def paths_of_xor():
    return many_of_xor(np.full(300, 1.0), 20_000, record=200, spacing="log")


@cache
def sweep_of_xor():
    """Of three optimizers, a hundred members for each of seven rates."""
    rates = np.repeat([0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0], 100)
    optimizers = {"SGD": "sgd", "SGD, momentum 0.9": fastgd.SGD(momentum=0.9), "Adam": "adam"}
    return {name: many_of_xor(rates, 20_000, target_cost=0.01, optimizer=kind) for name, kind in optimizers.items()}


def many_of_xor(rates, epochs, **options):
    X, Y = fastgd.data.gate("xor")
    return fastgd.train_many(fastgd.MLP(2, 2, 1), X, Y, epochs, rates, members=len(rates), rng=0, **options)


# -- a spiral, by 2-16-16-1


@cache
def spiral_run():
    X, Y = fastgd.data.spiral(240, noise=0.02, rng=0)
    net = fastgd.MLP(2, 16, 16, 1, activation="tanh", output="sigmoid", loss="binary_cross_entropy")
    held_out = fastgd.data.spiral(120, noise=0.02, rng=1)
    stages = np.diff(np.unique(np.geomspace(1, 3000, 50).astype(int)), prepend=0)
    run, way = trained_with_way(net, X, Y, stages, learning_rate=0.01, optimizer="adam", rng=1, validation=held_out, l2=1e-5)
    return X, Y, run, way


def spiral():
    plot = fastgd.plotting
    X, Y, run, way = spiral_run()
    yield "history", plot.history(run)
    yield "network", plot.network(run)
    yield "weights", plot.weights(run)
    yield "surface", plot.surface(run, X, Y)
    yield "landscape", plot.landscape(run, X, Y, resolution=61)
    yield "way", plot.landscape(run, X, Y, path=way, resolution=61)
    yield "gradients", plot.gradients(run.net, run.net.init(1), X, Y)


# -- digits of 8 x 8 pixels


@cache
def digits_run():
    """With their rows and labels: a table says what inputs and outputs are."""
    from sklearn.datasets import load_digits

    X, labels = load_digits(return_X_y=True)
    X = X / 16
    net = fastgd.MLP(64, 25, 10, activation="relu", output="softmax", loss="cross_entropy", dtype="float32")
    run = fastgd.train(
        net, X, np.eye(10)[labels], 60, 3e-3, rng=0, batch_size=32, optimizer="adam", l2=1e-3, validation=0.2, restore_best=True
    )
    return run.with_values(table=table_of_digits([f"{k // 8}, {k % 8}" for k in range(64)])), (X, labels)


def table_of_digits(inputs):
    from fastgd.data import Table

    n = len(inputs)
    return Table(tuple(inputs), ("digit",), tuple(range(10)), 10, (0.0,) * n, (1.0,) * n, (), ()).to_dict()


def digits():
    plot = fastgd.plotting
    run, (X, labels) = digits_run()
    yield "history", plot.history(run)
    yield "network", plot.network(run, max_units=12)
    yield "weights", plot.weights(run, image=(8, 8))
    yield "landscape", plot.landscape(run, X, labels, resolution=31)
    U = principal_components(X)
    flat = fastgd.MLP(2, 32, 32, 10, activation="tanh", output="softmax", loss="cross_entropy")
    of_two = fastgd.train(flat, U, np.eye(10)[labels], 400, 5e-3, rng=0, optimizer="adam", l2=1e-4)
    of_two = of_two.with_values(table=table_of_digits(["first principal component", "second principal component"]))
    yield "surface", plot.surface(of_two, U, labels)
    sigmoid = fastgd.MLP(64, 16, 10)
    yield "gradients", plot.gradients(sigmoid, sigmoid.init(0), X[:50], np.eye(10)[labels[:50]])


def overview():
    """A picture of everything, for the first look at the project."""
    import matplotlib.pyplot as plt

    plot = fastgd.plotting
    places = {"left": 0.04, "right": 0.955, "bottom": 0.075, "top": 0.87, "wspace": 0.32, "hspace": 0.56}
    axes = plt.subplots(2, 3, figsize=(12, 7), gridspec_kw=places)[1]
    X, Y, run, way = spiral_run()
    plot.network(run, ax=axes[0, 0]).get_legend().remove()
    plot.surface(run, X, Y, ax=axes[0, 1])
    plot.landscape(run, X, Y, path=way, resolution=61, ax=axes[0, 2])
    model, _ = digits_run()
    plot.weights(model, image=(8, 8), ax=axes[1, 0])
    plot.paths(paths_of_xor(), ax=axes[1, 1])
    plot.sweep(sweep_of_xor(), ax=axes[1, 2])
    titles = (
        "a network, 2-16-16-1", "what it computes", "how it was trained",
        "the weights of another, for digits", "300 networks trained at once", "which learning rate?",
    )  # fmt: skip
    for ax, title in zip(axes.flat, titles, strict=True):
        ax.set_title(title, fontsize="large", pad=30)
    yield "", axes[0, 0]


def principal_components(X):
    """The first two of rows (n, inputs), to a deviation of 1 each."""
    centered = X - X.mean(axis=0)
    U = centered @ np.linalg.svd(centered, full_matrices=False)[2][:2].T
    return U / U.std(axis=0)


MAKERS = {"overview": overview, "xor": xor, "spiral": spiral, "digits": digits}

if __name__ == "__main__":
    main()
