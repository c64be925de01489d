"""Kills trainings of XOR at random instants and starts them again: they must come to the bits of uninterrupted ones.

Every training is a process of its own, which writes its checkpoint after each chunk. It is killed (SIGKILL, so that nothing can be tidied
up) after a random time, from a few milliseconds after its call of `train` to --most seconds, all magnitudes being as likely, and started
again: --each times, or until it has come to its end before. After each kill the file must be whole; "afresh" are the kills before there
was one. Jobs take turns. Exits with 1 if a result differs from that of the uninterrupted run in a bit, or if a file is left behind.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import fastgd

JOBS = {
    "batches of 3, Adam": {"epochs": 4_000_000, "learning_rate": 0.001, "batch_size": 3, "optimizer": "adam", "kernel": "unrolled"},
    "full batch": {"epochs": 40_000_000, "learning_rate": 1.0, "kernel": "unrolled"},
    "single rows, Nesterov, best kept": {
        "epochs": 1_500_000,
        "learning_rate": fastgd.schedules.Cosine(0.1, steps=6_000_000, least=0.001, warmup=1000),
        "batch_size": 1,
        "optimizer": fastgd.SGD(momentum=0.9, nesterov=True),
        "restore_best": True,
        "spacing": "log",
        "kernel": "matrix",
    },
}


def train(job, share, **checkpoint):
    """A job, or a share of its epochs."""
    options = JOBS[job] | checkpoint
    return fastgd.train(fastgd.MLP(2, 2, 1), *fastgd.data.gate("xor"), round(share * options.pop("epochs")), rng=1, **options)


uninterrupted = cache(train)


def start(job, share, file, seconds=None):
    """Train in a process, which goes on from the file; kill it after so many seconds. Whether it was killed."""
    command = [sys.executable, __file__, "--job", job, "--share", str(share), "--file", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()  # it is about to train
        if seconds is not None:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
    if process.returncode not in (0, -signal.SIGKILL):
        sys.exit(f"{job}: the process ended with {process.returncode}")
    return process.returncode != 0


def beside(file):
    return {path.name for path in file.parent.iterdir()} - {file.name}


def kill_and_resume(job, share, kills, most, draw):
    """Kill one training, at most so many times. How often that was, what to tell of it, and whether all is well."""
    expected = uninterrupted(job, share)
    with tempfile.TemporaryDirectory() as folder:
        file, epochs, writes, before = Path(folder) / "run.npz", [], 0, set()
        while len(epochs) < kills and start(job, share, file, most * 300 ** -draw.random()):
            epochs.append(fastgd.load_run(file).epochs if file.exists() else None)  # ValueError if it is not whole
            writes += bool(beside(file) - before)
            before = beside(file)
        start(job, share, file)
        run, left = fastgd.load_run(file), beside(file)
    equal = run == expected and run.params.tobytes() == expected.params.tobytes()
    known = [epoch for epoch in epochs if epoch is not None]
    resumed = f"{known[0]:,} to {known[-1]:,}" if known else "never"
    counts = f"{len(epochs):>6}{writes:>16}{epochs.count(None):>8}{resumed:>25} of {run.epochs:>10,}"
    return len(epochs), f"{counts}{'yes' if equal else 'NO':>7}{len(left):>12}", equal and not left


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--each", type=int, default=8, metavar="N", help="most kills of one training")
    parser.add_argument("--seed", type=int, default=0, help="of the instants")
    parser.add_argument("--most", type=float, default=1.0, metavar="S", help="a process is killed at the latest after so many seconds")
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs; below 1 for a quick check")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.job:  # the process that is killed
        train(options.job, 0.0)  # loads what is compiled
        print("ready", flush=True)
        train(options.job, options.share, checkpoint=options.file, checkpoint_every=0.0, resume=True)
        return

    print(f"{'training':32}{'kills':>6}{'during a write':>16}{'afresh':>8}{'resumed from epoch':>25}{'':>14}{'equal':>7}{'files left':>12}")
    draw, left, good = random.Random(options.seed), options.kills, True
    while left > 0:
        for job in JOBS:
            if left > 0:
                kills, told, well = kill_and_resume(job, options.share, min(left, options.each), options.most, draw)
                print(f"{job:32}{told}", flush=True)
                left, good = left - kills, good and well
    print(f"{options.kills} kills:", "every result has the bits of the uninterrupted run, no file is left" if good else "FAILED")
    sys.exit(not good)


if __name__ == "__main__":
    main()
