"""The comparison as a table: `python bench/report.py [--quick] [--json FILE]`.

Competitors take turns, round by round, so that whatever else the machine does meets all of them; a ratio is the median of the rounds'.
"""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from importlib.metadata import version
from statistics import median
from typing import Any

from cases import CASES, Case
from competitors import CFLAGS, KINDS, OUR_KERNELS, OURS, Unavailable, competitor, jax_version
from processes import first_calls


def compare(case: Case, rounds: int, share: float) -> dict[str, Any]:
    """Nanoseconds of one update of all who serve the case, and how fastgd's kernels stand to the others."""
    epochs = max(1, round(case.timed_epochs * share))
    times: dict[str, list[float]] = {}
    missing = {}
    with ExitStack() as stack:
        serving = {}
        for kind in KINDS:
            try:
                serving[kind] = stack.enter_context(competitor(kind, case))
            except Unavailable as reason:
                missing[kind] = str(reason)
        for _ in range(rounds):
            for kind, one in serving.items():
                seconds = one.train(epochs, case.shuffled).seconds
                times.setdefault(kind, []).append(1e9 * seconds / (epochs * case.updates))
    ratios = {
        f"{ours} / {peer}": median(a / b for a, b in zip(times[ours], times[peer], strict=True))
        for ours in times
        for peer in times
        if ours in OURS and peer not in OURS
    }
    nanoseconds = {kind: median(values) for kind, values in times.items()}
    return {"work": case.name, "nanoseconds": nanoseconds, "ratios": ratios, "rounds": times, "missing": missing}


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_cpu()}",
        "load": "{:.1f} {:.1f} {:.1f}".format(*os.getloadavg()),  # of other programs, before this one begins
        "threads": "1",
        "python": platform.python_version(),
        **{name: version(name) for name in ("fastgd", "numba", "llvmlite", "numpy", "scipy")},
        "gcc": f"{_first_line(['gcc', '--version'])} {' '.join(CFLAGS)}",
        "jax": jax_version() or "not installed",
    }


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _first_line(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "not installed"


def lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The table: a line for each work and competitor; beside a peer, fastgd's time as a multiple of the peer's.

    Times are the median round and the fastest one: far apart, they say that the machine was busy, and that the ratios need another run.
    """
    yield f"{'work':36}{'competitor':18}{'ns an update':>12}{'fastest':>10}" + "".join(f"{kernel + ' / it':>16}" for kernel in OUR_KERNELS)
    for row in rows:
        name = row["work"]
        for kind, nanoseconds in row["nanoseconds"].items():
            ratios = [row["ratios"].get(f"{ours} / {kind}") for ours in OURS]
            line = f"{name:36}{kind:18}{nanoseconds:12,.1f}{min(row['rounds'][kind]):10,.1f}" + "".join(
                " " * 16 if r is None else f"{r:16.3f}" for r in ratios
            )
            yield line.rstrip()
            name = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the epochs, three rounds")
    parser.add_argument("--case", default="", help="only works with this in their name")
    parser.add_argument("--json", metavar="FILE", help="save the numbers")
    options = parser.parse_args()
    rounds, share = (3, 0.1) if options.quick else (9, 1.0)

    facts = machine()
    for name, value in facts.items():
        print(f"{name:10} {value}")
    works = [compare(case, rounds, share) for case in CASES if options.case in case.name]
    print("", *lines(works), "", sep="\n")
    for reason in sorted({reason for row in works for reason in row["missing"].values()}):
        print(f"skipped: {reason}")
    first = dict(first_calls(OUR_KERNELS))
    print(*(f"whole process, {name}: {seconds:.2f} s" for name, seconds in first.items()), sep="\n")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "works": works, "whole_process_seconds": first}, file, indent=2)


if __name__ == "__main__":
    main()
