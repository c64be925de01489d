"""Circles, squares and triangles, drawn small, somewhere and noisy: a network tells which is which.

python shapes.py --out shapes.png      # needs matplotlib: pip install 'fastgd[plot]'
"""

import argparse

import numpy as np

import fastgd

SIZE, NAMES = 20, ("circle", "square", "triangle")
TRAINED, TESTED = 8000, 2000

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=60, help="%(default)s if not given")
parser.add_argument("--seed", type=int, default=0, help="of the drawings, the initial parameters and the batches; %(default)s if not given")
parser.add_argument("--out", metavar="PNG", help="draw some of the shapes there")
options = parser.parse_args()


def draw(count, rng):
    """(count, SIZE * SIZE) pictures from 0 to 1, and (count,) which shape each is of."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    shape = rng.integers(len(NAMES), size=count)
    radius, turn = rng.uniform(4, 7, size=(count, 1, 1)), rng.uniform(0, 2 * np.pi, size=(count, 1, 1))
    middle = rng.uniform(7, SIZE - 7, size=(2, count, 1, 1))
    x, y = x - middle[0], y - middle[1]
    turned = [np.cos(turn + angle) * x + np.sin(turn + angle) * y for angle in 2 * np.pi * np.arange(12) / 12]
    # how far outside a place is, in pixels: a polygon is what lies behind all of its sides
    outside = np.stack([
        np.hypot(x, y) - radius,
        np.max(turned[::3], axis=0) - radius * 0.85,
        np.max(turned[::4], axis=0) - radius * 0.65,
    ])  # fmt: skip
    chosen = np.take_along_axis(outside, shape[None, :, None, None], axis=0)[0]
    picture = np.clip(0.5 - chosen, 0, 1) + rng.normal(scale=0.15, size=chosen.shape)
    return picture.clip(0, 1).reshape(count, -1), shape


rng = np.random.default_rng(options.seed)
(X, shape), (X_test, shape_test) = draw(TRAINED, rng), draw(TESTED, rng)
net = fastgd.MLP(SIZE * SIZE, 64, 32, len(NAMES), activation="relu", output="softmax", loss="cross_entropy", dtype="float32")
rate = fastgd.schedules.Cosine(2e-3, steps=options.epochs * TRAINED // 32)
run = fastgd.train(
    net, X, np.eye(len(NAMES))[shape], options.epochs, rate, rng=options.seed, batch_size=32, optimizer="adam", l2=1e-3, progress=True
)
said = run.predict(X_test).argmax(axis=1)

print(net)
print(f"{run.epochs} epochs of {TRAINED:,} drawings in {run.seconds:.2f} s")
print(f"of {TESTED:,} others {np.mean(said == shape_test):.1%} are told right:\n")
print(" " * 12 + "".join(f"{'as ' + name:>14}" for name in NAMES))
for k, name in enumerate(NAMES):
    print(f"{name:<12}" + "".join(f"{np.sum((shape_test == k) & (said == j)):14}" for j in range(len(NAMES))))

if options.out:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    wrong = np.flatnonzero(said != shape_test)[:10]
    some = np.concatenate([np.flatnonzero(said == shape_test)[: 40 - len(wrong)], wrong])
    figure, axes = plt.subplots(4, 10, figsize=(8.4, 4.2), layout="constrained")
    for axis in axes.ravel():
        axis.set_axis_off()
    for axis, i in zip(axes.ravel(), some, strict=False):
        axis.imshow(X_test[i].reshape(SIZE, SIZE).round(1), cmap="gray", vmin=0, vmax=1)
        right = said[i] == shape_test[i]
        axis.set_title(NAMES[said[i]], fontsize=8, pad=2, color="black" if right else "#c23b00", weight="normal" if right else "bold")
    figure.suptitle(f"{np.mean(said == shape_test):.1%} of {TESTED:,} drawings are told right; the last {len(wrong)} are not", fontsize=10)
    figure.savefig(options.out, dpi=80, pil_kwargs={"optimize": True})
