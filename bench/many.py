"""Many networks at once, beside JAX's vmap: `python bench/many.py [--quick]`.

A time is of one member and epoch, in the compiled loop alone, the median of the rounds and the best. JAX lives in the Python that
JAX_PYTHON names. The first member's parameters after 20 epochs must be the same before anything is timed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import programs
from datasets import Array
from machine import facts
from tables import duration, fact_lines

import fastgd

SINE = np.linspace(-1, 1, 128).reshape(64, 2)


class Work:
    def __init__(self, name: str, net: fastgd.MLP, data: tuple[Array, Array], members: int, epochs: int, rate: float, optimizer: str):
        self.name, self.net, self.data, self.members, self.epochs = name, net, data, members, epochs
        self.rates, self.optimizer = np.full(members, rate), optimizer
        self.params = np.stack([net.init(seed) for seed in range(members)])

    def train(self, epochs: object, threads: int = 2, **more: object) -> fastgd.Runs:
        given = {"params": self.params, "rng": 0, "optimizer": self.optimizer, "kernel": "lanes", "threads": threads} | more
        return fastgd.train_many(self.net, *self.data, epochs, self.rates, **given)

    def seconds(self, rounds: int, threads: int) -> list[float]:
        return [self.train(self.epochs, threads).seconds / (self.epochs * self.members) for _ in range(rounds)]

    def jax(self, rounds: int, threads: int) -> dict[str, Any]:
        question = {
            "widths": self.net.widths, "activations": self.net.activations, "dtype": self.net.dtype.name, "optimizer": self.optimizer,
            "X": self.data[0].tolist(), "Y": self.data[1].tolist(), "params": self.params.tolist(), "rates": self.rates.tolist(),
            "epochs": self.epochs, "rounds": rounds,
        }  # fmt: skip
        command = [programs.LIBRARIES["JAX"].python, str(programs.PEERS / "jax_many.py")]
        environment = os.environ | programs.limits(threads)
        done = subprocess.run(command, input=json.dumps(question), env=environment, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))


def works(quick: bool) -> list[Work]:
    share = 10 if quick else 1
    xor = [np.asarray(part) for part in fastgd.data.gate("xor")]
    found = [
        Work(f"XOR 2-2-1, 4 samples, {dtype}", fastgd.MLP(2, 2, 1, dtype=dtype), (xor[0], xor[1]), 16_384, 2000 // share, 1.0, "sgd")
        for dtype in ("float32", "float64")
    ]
    sine = fastgd.MLP(2, 8, 1, activation="tanh", output="identity", dtype="float32")
    return [*found, Work("2-8-1 sine, 64 samples, Adam, float32", sine, (SINE, np.sin(3 * SINE[:, :1])), 1024, 1000 // share, 0.01, "adam")]


def beside_jax(rounds: int, quick: bool) -> None:
    print(f"\n{'one member and epoch':40}{'threads':>8}{'fastgd':>10}{'best':>10}{'JAX vmap':>10}{'best':>10}{'fastgd / JAX':>14}")
    for work in works(quick):
        ours = work.train(20).params[0]
        for threads in (1, 2):
            peer = work.jax(rounds, threads) if programs.version("JAX") else None
            if peer is not None:
                error = np.max(np.abs(ours - np.array(peer["checked"])))
                assert error < (1e-4 if work.net.dtype == np.float32 else 1e-10), f"{work.name}: {error:.2g} off"
            times = work.seconds(rounds, threads)
            line = f"{work.name:40}{threads:8}{_shown(median(times))}{_shown(min(times))}"
            if peer is not None:
                line += f"{_shown(peer['median'])}{_shown(peer['best'])}{median(times) / peer['median']:14.3f}"
            print(line, flush=True)


def _shown(seconds: float) -> str:
    return f"{duration(1e9 * seconds):>10}"


def uneven(rounds: int, quick: bool) -> None:
    """Members whose epochs differ by a factor of 100, beside as many epochs of even members."""
    work = works(quick)[0]
    epochs = np.random.default_rng(0).permutation(np.geomspace(work.epochs / 10, work.epochs * 10, work.members).astype(np.int64))
    longest = work.members * int(epochs.max())

    def cost(train: Callable[[], fastgd.Runs]) -> float:
        return median(train().seconds for _ in range(rounds))

    for threads in (1, 2):
        even = cost(lambda threads=threads: work.train(int(epochs.mean()), threads)) / (int(epochs.mean()) * work.members)
        seconds = cost(lambda threads=threads: work.train(epochs, threads))
        print(f"{work.name}, {threads} threads, epochs from {epochs.min():,} to {epochs.max():,}: ", end="")
        print(f"{seconds / (even * epochs.sum()):.2f} of the time of as many epochs that are even, ", end="")
        print(f"{seconds / (even * longest):.2f} of that of members x the longest", flush=True)


def memory() -> None:
    """100,000 members of XOR."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fastgd.train_many(fastgd.MLP(2, 2, 1), *fastgd.data.gate("xor"), 100, 1.0, members=100_000, rng=0, kernel="lanes")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"100,000 members of XOR: {after / 1024:.0f} MiB of memory at most, {(after - before) / 1024:.0f} of them new")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the epochs, three rounds")
    quick = parser.parse_args().quick
    known = facts()
    print(*fact_lines({name: known[name] for name in ("date", "machine", "load", "python", "numba")}), sep="\n")
    rounds = 3 if quick else 7
    memory()
    beside_jax(rounds, quick)
    uneven(rounds, quick)


if __name__ == "__main__":
    sys.exit(main())
