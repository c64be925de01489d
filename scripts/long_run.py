"""A long run, to be copied: a network learns a smooth function of two variables, and loses nothing when it is stopped.

    python long_run.py                       # about a minute, with a bar; writes long_run.npz
    python long_run.py                       # again: it goes on where it stopped
    python long_run.py --epochs 400000       # further than before
    python long_run.py --max-seconds 3600    # an hour at a time, for a queue

Ctrl-C writes the checkpoint and ends; after a crash or a power cut the last ten seconds are trained again, to the same bits. Put your own
data where `samples` is. What a run is made of (data, network, rate, batches) stays as it is until the checkpoint is deleted.
"""

import argparse
import shlex
import sys

import numpy as np

import fastgd

EPOCHS = 180_000
BATCH = 32


def samples(n, seed):
    """X (n, 2) and Y (n, 1) of the function that takes so long to compute."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    x, y = X.T
    return X, np.sin(3 * x[:, None]) * np.exp(-(y[:, None] ** 2)) + (x * y)[:, None]


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--epochs", type=int, default=EPOCHS, help="in all, earlier starts included; %(default)s if not given")
parser.add_argument("--checkpoint", default="long_run.npz", metavar="FILE", help="%(default)s if not given")
parser.add_argument("--max-seconds", type=float, metavar="S", help="of this start")
options = parser.parse_args()

X, Y = samples(2000, seed=0)
net = fastgd.MLP(2, 16, 16, 1, activation="tanh", output="identity")
updates = -(-round(0.9 * len(X)) // BATCH)  # of an epoch
rate = fastgd.schedules.Cosine(0.01, steps=EPOCHS * updates, least=1e-5, warmup=10 * updates)  # not of options.epochs: see above

run = fastgd.train(
    net, X, Y, options.epochs, rate, rng=0, batch_size=BATCH, optimizer="adam",
    validation=0.1, patience=EPOCHS // 4, restore_best=True, max_seconds=options.max_seconds, progress=True,
    checkpoint=options.checkpoint, checkpoint_every=10, resume=True,
)  # fmt: skip

print(f"{run.epochs:,} epochs in {run.seconds:.1f} s, ended by {run.stopped_by}; best after {run.best_epoch:,}")
print(f"validation rows: root mean square error {run.best_cost**0.5:.2e}")
X, Y = samples(10_000, seed=1)
print(f"10,000 new rows: root mean square error {np.sqrt(np.mean((run.predict(X) - Y) ** 2)):.2e}")

print(f"to use it: run = fastgd.load_run({options.checkpoint!r}); run.predict(X)")
if run.stopped_by == "patience":
    print("it has stopped improving; to go on all the same: fastgd.train(..., params=run)")
else:
    epochs = 2 * run.epochs if run.stopped_by == "epochs" else options.epochs
    print("to go on:", shlex.join(["python", sys.argv[0], "--checkpoint", options.checkpoint, "--epochs", str(epochs)]))
