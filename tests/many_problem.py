"""Ten members, ways to train them, and a callback."""

import numpy as np
from conftest import random_problem

import fastgd

NET = fastgd.MLP(2, 2, 1, activation="tanh")
X, Y, _ = random_problem(NET, 11)
MEMBERS = 10  # more than one vector of lanes, and the last is not full
EPOCHS = np.arange(10, 10 + MEMBERS)
RATES = np.linspace(0.05, 0.5, MEMBERS)
WAYS = {
    "full batch": {},
    "Adam, batches": {"optimizer": "adam", "batch_size": 3},
    "rules": {"patience": np.arange(1, 11), "min_delta": 1e-3, "target_cost": 0.03, "optimizer": fastgd.SGD(momentum=0.9)},
    "rules, batches": {"patience": np.arange(1, 11), "min_delta": 1e-3, "batch_size": 4, "learning_rate": np.linspace(0.1, 4, MEMBERS)},
    "schedule, float32": {
        "net": fastgd.MLP(2, 2, 1, activation="tanh", dtype="float32"),
        "learning_rate": fastgd.schedules.Cosine(0.2, steps=40, warmup=5),
        "batch_size": 5,
        "patience": 3,
    },
    "histories": {"record": 5},
    "all their own, histories": {
        "optimizer": [fastgd.SGD(momentum=i / 20) for i in range(MEMBERS)],
        "learning_rate": [fastgd.schedules.Step(0.3, every=7), fastgd.schedules.Exponential(0.2, 0.99), *RATES[2:]],
        "clip_norm": np.linspace(0.5, 2, MEMBERS),
        "l2": np.linspace(0, 0.1, MEMBERS),
        "batch_size": 4,
        "record": 4,
    },
}
EACH = [(way, kernel) for way in WAYS for kernel in ("lanes", "matrix")] + [("Adam, batches", "unrolled")]


def train_many(kernel, way="full batch", epochs=EPOCHS, **options):
    given = {"net": NET, "X": X, "Y": Y, "epochs": epochs, "learning_rate": RATES, "rng": 3, "members": MEMBERS}
    return fastgd.train_many(**given | {"kernel": kernel, "threads": 2} | WAYS[way] | options)


def when(condition, action=lambda: True):
    """A callback that acts as soon as the condition holds for what it is told."""
    return lambda progress: action() if condition(progress) else None
