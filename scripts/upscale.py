"""An image made larger: a network learns the brightness at each of 28 x 28 pixels, and is asked at places in between.

    python upscale.py --out upscale.png      # needs matplotlib: pip install 'fastgd[plot]'

The image is drawn by a formula, so that it is known at any size; what the network says at 448 x 448 pixels is compared with it, and with
pixels that are repeated or blended.
"""

import argparse

import numpy as np

import fastgd

SMALL, LARGE = 28, 448

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=4000, help="%(default)s if not given")
parser.add_argument("--seed", type=int, default=0, help="of the initial parameters; %(default)s if not given")
parser.add_argument("--out", metavar="PNG", help="draw the images there")
options = parser.parse_args()


def places(size):
    """(size * size, 2) the middles of pixels, row by row, from -1 to 1."""
    side = (np.arange(size) + 0.5) / size * 2 - 1
    return np.column_stack([each.ravel() for each in np.meshgrid(side, side)])


def drawn(size):
    """(size, size) a six, by how far each place is from its line: 1 within, 0 without, and a soft edge."""
    x, y = places(size).T
    bowl = np.abs(np.hypot(x, y - 0.3) - 0.38)
    turns = np.linspace(1.0, 1.5, 60) * np.pi  # from the bowl up to the end
    stem = np.min([np.hypot(x - 0.62 - np.cos(turn), y - 0.3 - np.sin(turn)) for turn in turns], axis=0)
    return (1 / (1 + np.exp(30 * (np.minimum(bowl, stem) - 0.13)))).reshape(size, size)


def blended(image, size):
    """(size, size) pixels between which brightness changes evenly."""
    old, new = ((np.arange(each) + 0.5) / each for each in (len(image), size))
    rows = np.array([np.interp(new, old, row) for row in image])
    return np.array([np.interp(new, old, column) for column in rows.T]).T


image, truth = drawn(SMALL), drawn(LARGE)
net = fastgd.MLP(2, 24, 24, 1, activation=["tanh", "tanh", "sigmoid"], loss="binary_cross_entropy")
rate = fastgd.schedules.Cosine(0.01, steps=4 * options.epochs)
run = fastgd.train(
    net, places(SMALL), image.ravel(), options.epochs, rate, rng=options.seed, batch_size=196, optimizer="adam", progress=True
)
larger = {
    f"{SMALL} x {SMALL} pixels": np.kron(image, np.ones((LARGE // SMALL, LARGE // SMALL))),
    "blended": blended(image, LARGE),
    "the network": run.predict(places(LARGE)).reshape(LARGE, LARGE),
}
errors = {name: np.sqrt(np.mean((each - truth) ** 2)) for name, each in larger.items()}

print(net)
print(f"{run.epochs:,} epochs of {image.size} pixels in {run.seconds:.2f} s")
print(f"\nat {LARGE} x {LARGE} pixels, by how much brightness is off (root of the mean square):")
for name, error in errors.items():
    print(f"{name:<16}{error:8.4f}")

if options.out:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.3), layout="constrained")
    for axis, (name, each) in zip(axes, larger.items(), strict=True):
        axis.imshow(each, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
        axis.set_title(f"{name}\noff by {errors[name]:.4f}", fontsize=11)
        axis.set_axis_off()
    figure.savefig(options.out, dpi=80, bbox_inches="tight", pil_kwargs={"optimize": True})
