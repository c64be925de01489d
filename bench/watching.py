"""What a page that is looked at costs a training, and what memory it takes: `python bench/watching.py [--quick] [--minutes N]`.

Trainings with `progress="page"`, at whose page another process looks as often as it is answered, and such without take turns, in one
process. Of each, the processor time of that process and the wall time of the call are told, as ratios of the minima: what the page takes
in a browser is the browser's.

With --minutes, `fastgd play` and `fastgd train --watch` train a gate for so long instead, with somebody looking at each, and the memory
that each has is told every minute.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np

import fastgd
from fastgd.page import watch

WATCHER = Path(__file__).parent / "peers" / "page_watcher.py"


def watcher(address: str, seconds: float) -> subprocess.Popen[str]:
    """Somebody who looks at a session for so long, or to its end, and prints how many frames were seen."""
    return subprocess.Popen([sys.executable, WATCHER, address, str(seconds)], stdout=subprocess.PIPE, text=True)


def frames_of(process: subprocess.Popen[str]) -> int:
    return int(process.communicate()[0])


def works() -> dict[str, Callable[..., fastgd.Run]]:
    """A gate, and a network whose epochs take long."""
    X, Y = fastgd.data.gate("xor")
    gate = fastgd.MLP(2, 2, 1)
    rng = np.random.default_rng(0)
    wide = fastgd.MLP(784, 128, 10, activation="relu", output="softmax", loss="cross_entropy", dtype="float32")
    images, classes = rng.random((10_000, 784), np.float32), np.eye(10, dtype=np.float32)[rng.integers(10, size=10_000)]
    return {
        "gate 2-2-1, {:,} epochs": lambda epochs, **more: fastgd.train(gate, X, Y, epochs, 0.5, rng=1, **more),
        "784-128-10 in batches of 64, {:,} epochs": lambda epochs, **more: fastgd.train(
            wide, images, classes, epochs, 0.01, rng=1, batch_size=64, threads=1, **more
        ),
    }


def timed(train: Callable[..., fastgd.Run], epochs: int, watched: bool) -> tuple[float, float, int]:
    """Processor and wall seconds of a training, and how many frames of it were seen."""
    looking: list[subprocess.Popen[str]] = []

    def begin(address: str) -> bool:
        looking.append(watcher(f"{address}sessions/watched/", np.inf))
        return False

    watch.open_browser = begin  # type: ignore[assignment]
    cpu, wall = time.process_time(), time.perf_counter()
    train(epochs, progress="page" if watched else False)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, wall, frames_of(looking[0]) if watched else 0


def compare(rounds: int, share: float) -> None:
    for (title, train), epochs in zip(works().items(), (int(1e8 * share), max(2, int(100 * share))), strict=True):
        train(epochs // 10 or 1)
        times = {watched: [timed(train, epochs, watched) for _ in range(1)] for watched in (True, False)}
        for _ in range(rounds):
            for watched in (False, True):
                times[watched].append(timed(train, epochs, watched))
        least = {watched: [min(each[kind] for each in times[watched][1:]) for kind in (0, 1)] for watched in times}
        cpu, wall = (100 * (least[True][kind] / least[False][kind] - 1) for kind in (0, 1))
        frames = times[True][-1][2]
        print(
            f"{title.format(epochs)}: {least[False][1]:.2f} s, watched {wall:+.1f} % of wall time, {cpu:+.1f} % of processor time, "
            f"{frames} frames",
            flush=True,
        )


def resident(process: int) -> float:
    """Megabytes of memory that a process has."""
    with open(f"/proc/{process}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def memory(minutes: int) -> None:
    command = [sys.executable, "-m", "fastgd"]
    train = ["train", "--gate", "xor", "--epochs", "1e15", "--watch", "--no-browser"]
    play = subprocess.Popen([*command, "play", "--no-browser"], stdout=subprocess.PIPE, text=True)
    watched = subprocess.Popen([*command, *train], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert play.stdout is not None
        assert watched.stderr is not None
        address = play.stdout.readline().strip()
        others = watched.stderr.readline().split()[-1]
        session = posted(f"{address}sessions", {"epochs": 10**15, "methods": ["backprop", "layerwise", "finite_difference"]})["session"]
        posted(f"{address}sessions/{session}/do", {"action": "run"})
        print(f"{'minute':>6}{'play, MB':>12}{'train --watch, MB':>20}{'frames of each':>18}")
        for minute in range(minutes + 1):
            looking = [watcher(each, 60 if minute else 5) for each in (f"{address}sessions/{session}/", f"{others}sessions/watched/")]
            frames = [frames_of(each) for each in looking]
            print(f"{minute:>6}{resident(play.pid):>12.1f}{resident(watched.pid):>20.1f}{frames[0]:>9}{frames[1]:>9}", flush=True)
    finally:
        for process in (play, watched):
            process.terminate()
            process.wait()


def posted(address: str, given: object) -> dict[str, str]:
    request = urllib.request.Request(address, json.dumps(given).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        said: dict[str, str] = json.load(answer)
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, two rounds")
    parser.add_argument("--minutes", type=int, help="tell the memory for so long")
    options = parser.parse_args()
    if options.minutes is not None:
        memory(options.minutes)
    else:
        compare(2 if options.quick else 4, 0.1 if options.quick else 1.0)
