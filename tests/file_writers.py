"""All that writes files, as functions of a path, and how to tell that a file is whole; and files that are not."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd.cli.members import Members, write_members
from fastgd.cli.predict import _write_file

OPTIONS = {"params": PARAMS, "rng": 5, "kernel": "matrix"}
MANY = {"members": 2, "rng": 5, "kernel": "matrix"}


@cache
def a_run():
    return fastgd.train(NET, X, Y, 3, **OPTIONS)


@cache
def some_runs():
    return fastgd.train_many(NET, X, Y, 3, **MANY)


_WRITERS = {
    "Run.save": lambda path: a_run().save(path),
    "Runs.save": lambda path: some_runs().save(path),
    "checkpoint of train": lambda path: fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS),
    "checkpoint of train_many": lambda path: fastgd.train_many(NET, X, Y, 3, checkpoint=path, **MANY),
    "predict --out": lambda path: _write_file(path, ["y"], [[1.0]]),
    "sweep --out": lambda path: write_members({"sgd": Members(some_runs(), None)}, path),
}
EACH_WRITER = pytest.mark.parametrize("write", _WRITERS.values(), ids=_WRITERS.keys())


def whole(path):
    """That it is what one of the writers leaves."""
    return Path(path).read_bytes().startswith((b"PK\x03\x04", b"y\n", b"optimizer,"))


def mutations(whole):
    """200 times the bytes of a file with a few of them changed, cut or added."""
    rng = np.random.default_rng(0)
    for number in range(200):
        data = bytearray(whole)
        places = rng.integers(len(data), size=1 + number % 4)
        if number % 4 == 0:
            del data[places[0] :]
        elif number % 4 == 1:
            data[places[0] : places[0]] = rng.bytes(3)
        else:
            for place in places:
                data[place] ^= 1 << int(rng.integers(8))
        yield data
