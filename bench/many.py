"""Many networks at once, beside JAX's vmap: `python bench/many.py [--quick]`.

A time is of one member and epoch: in compiled loops alone, the median of the rounds and the best, and of the whole call. JAX lives in the
Python that JAX_PYTHON names; its time is of a whole call, compiled before. The parameters of all members after a few epochs, rows in
order, must be the same before anything is timed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
import programs
from datasets import Array, Data, digits
from machine import facts
from tables import duration, short_fact_lines
from unavailable import Unavailable

import fastgd

# a device a thread, which is faster than threads for every operation
XLA_FLAGS = "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count="
SINE = np.linspace(-1, 1, 128).reshape(64, 2)


@dataclass
class Work:
    name: str
    net: fastgd.MLP
    data: Data
    members: int
    epochs: int
    rate: float
    optimizer: str = "sgd"
    kernel: str = "lanes"
    batch_size: int | None = None
    checked_epochs: int = 20
    peer: str = "jax_many.py"
    draw: str | None = None  # how the peer draws orders of rows

    @cached_property
    def params(self) -> Array:
        """(members, n_params) that all start from."""
        return np.stack([self.net.init(seed) for seed in range(self.members)])

    def train(self, epochs: object, threads: int = 2, **more: object) -> fastgd.Runs:
        given = {"params": self.params, "rng": 0, "optimizer": self.optimizer, "kernel": self.kernel, "batch_size": self.batch_size}
        return fastgd.train_many(self.net, *self.data, epochs, self.rate, threads=threads, **given, **more)

    def seconds(self, rounds: int, threads: int) -> tuple[list[float], list[float]]:
        """Of one member and epoch, in compiled loops and of whole calls."""
        loops, calls = [], []
        for _ in range(rounds):
            begin = time.perf_counter()
            loops.append(self.train(self.epochs, threads).seconds / (self.epochs * self.members))
            calls.append((time.perf_counter() - begin) / (self.epochs * self.members))
        return loops, calls

    def jax(self, rounds: int, threads: int) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("optimizer", "batch_size", "draw", "checked_epochs", "epochs")}
        question = {
            "widths": self.net.widths, "activations": self.net.activations, "dtype": self.net.dtype.name, "rounds": rounds, **own,
            "X": self.data[0].tolist(), "Y": self.data[1].tolist(), "params": self.params.tolist(), "rates": [self.rate] * self.members,
        }  # fmt: skip
        command = [programs.LIBRARIES["JAX"].python, str(programs.PEERS / self.peer)]
        environment = os.environ | programs.limits(threads) | {"XLA_FLAGS": f"{XLA_FLAGS}{threads}"}
        done = subprocess.run(command, input=json.dumps(question), env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return dict(json.loads(done.stdout))


def works(quick: bool) -> list[Work]:
    share = 10 if quick else 1
    xor = [np.asarray(part) for part in fastgd.data.gate("xor")]
    found = [
        Work(f"XOR 2-2-1, 4 samples, {dtype}", fastgd.MLP(2, 2, 1, dtype=dtype), (xor[0], xor[1]), 16_384, 2000 // share, 1.0)
        for dtype in ("float32", "float64")
    ]
    sine = fastgd.MLP(2, 8, 1, activation="tanh", output="identity", dtype="float32")
    found.append(Work("2-8-1 sine, 64 samples, Adam, float32", sine, (SINE, np.sin(3 * SINE[:, :1])), 1024, 1000 // share, 0.01, "adam"))
    try:
        found += [_digits(draw, 100 // share) for draw in ("sorted bits", "permutation")]
    except Unavailable as reason:
        print(reason)
    return found


def _digits(draw: str, epochs: int) -> Work:
    """32 seeds; 57 steps an epoch, the last of 5 rows, in an order that each member draws. In JAX, drawing decides: see the peer."""
    net = fastgd.MLP(64, 32, 10, output="softmax", loss="cross_entropy", dtype="float32")
    return Work(
        f"64-32-10 digits, batch 32, {draw}", net, digits(1797), 32, epochs, 0.5, kernel="matrix", batch_size=32, checked_epochs=3,
        peer="jax_many_batches.py", draw=draw,
    )  # fmt: skip


def beside_jax(rounds: int, quick: bool) -> None:
    header = "".join(f"{title:>10}" for title in ("fastgd", "best", "call", "JAX vmap", "best"))
    print(f"\n{'one member and epoch':40}{'threads':>8}{header}{'fastgd / JAX':>14}{'call / JAX':>12}")
    for work in works(quick):
        ours = work.train(work.checked_epochs, shuffle=False).params
        for threads in (1, 2):
            peer = work.jax(rounds, threads) if programs.version("JAX") else None
            if peer is not None:
                error = np.max(np.abs(ours - np.array(peer["checked"])))
                assert error < (1e-3 if work.net.dtype == np.float32 else 1e-10), f"{work.name}: {error:.2g} off"
            loops, calls = work.seconds(rounds, threads)
            line = f"{work.name:40}{threads:8}{_shown(median(loops))}{_shown(min(loops))}{_shown(median(calls))}"
            if peer is not None:
                ratios = (median(times) / peer["median"] for times in (loops, calls))
                line += _shown(peer["median"]) + _shown(peer["best"]) + "{:14.3f}{:12.3f}".format(*ratios)
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
    print(*short_fact_lines(facts()), sep="\n")
    rounds = 3 if quick else 7
    memory()
    beside_jax(rounds, quick)
    uneven(rounds, quick)


if __name__ == "__main__":
    sys.exit(main())
