"""A network that adds: two numbers of n bits go in, and the bits of their sum come out.

    python adder.py --out adder.png      # needs matplotlib: pip install 'fastgd[plot]'
    python adder.py --held-out 0.2       # a fifth of the sums is never shown

The last bit that comes out is the carry.
"""

import argparse

import numpy as np

import fastgd

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--bits", type=int, default=4, help="of each number; %(default)s if not given")
parser.add_argument("--epochs", type=int, default=3000, help="%(default)s if not given")
parser.add_argument("--held-out", type=float, default=0.2, metavar="SHARE", help="of the sums, not trained on; %(default)s if not given")
parser.add_argument("--seed", type=int, default=0, help="of the initial parameters and of the drawing; %(default)s if not given")
parser.add_argument("--out", metavar="PNG", help="draw the sums there")
options = parser.parse_args()


def bits(numbers, count):
    """(n, count) the bits of each, the least first."""
    return (np.asarray(numbers)[:, None] >> np.arange(count) & 1).astype(float)


size = 2**options.bits
a, b = (each.ravel() for each in np.meshgrid(np.arange(size), np.arange(size), indexing="ij"))
X, Y = np.hstack([bits(a, options.bits), bits(b, options.bits)]), bits(a + b, options.bits + 1)
shown = np.random.default_rng(options.seed).permutation(len(X)) >= round(options.held_out * len(X))

net = fastgd.MLP(2 * options.bits, 4 * options.bits, options.bits + 1, activation=["tanh", "sigmoid"], loss="binary_cross_entropy")
rate = fastgd.schedules.Cosine(0.02, steps=options.epochs * -(-int(shown.sum()) // 16))
run = fastgd.train(net, X[shown], Y[shown], options.epochs, rate, rng=options.seed, batch_size=16, optimizer="adam", progress=True)
sums = (run.predict(X) > 0.5) @ (1 << np.arange(options.bits + 1))
right = sums == a + b

print(net)
print(f"{run.epochs:,} epochs of {shown.sum()} sums in {run.seconds:.2f} s; cost {run.cost:.2e}")
print(f"{right[shown].sum()} of these {shown.sum()} are right")
if not shown.all():
    print(f"{right[~shown].sum()} of {(~shown).sum()} that were never shown are right")

if options.out:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (table, costs) = plt.subplots(1, 2, figsize=(8.4, 4.2), layout="constrained", width_ratios=[1.15, 1])
    image = table.imshow(sums.reshape(size, size), cmap="viridis", origin="lower", vmin=0, vmax=2 * size - 2)
    for which, sign, label in ((~shown & right, "o", "never shown, right"), (~right, "X", "wrong")):
        if which.any():
            table.scatter(b[which], a[which], s=22, marker=sign, c="white", edgecolors="black", linewidths=0.8, label=label)
    table.set(xlabel="b", ylabel="a", title="what the network makes of a + b", xticks=range(0, size, 5), yticks=range(0, size, 5))
    if table.collections:
        table.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    figure.colorbar(image, ax=table, shrink=0.8)
    costs.semilogy(run.history.epoch, run.history.cost)
    costs.set(xlabel="epoch", title="cost")
    costs.grid(alpha=0.3)
    figure.savefig(options.out, dpi=80, pil_kwargs={"optimize": True})
