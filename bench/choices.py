"""Which choices of fastgd/machine/by_processor.py are quickest on this machine: `python bench/choices.py [--quick]`, a minute.

Small networks by the unrolled kernel, one thread. Each choice is a process that compiles by it alone; in every round all of them train each
work for a millisecond, and the least of the rounds counts. Beside a time stands its ratio to that of what is chosen here.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

import llvmlite.binding as llvm
from cases import CASES, Case
from machine import facts
from tables import short_fact_lines

import fastgd
from fastgd.machine import by_processor
from fastgd.machine.by_processor import Choices

WORKS = [
    case for case in CASES
    if case.name.startswith(("NAND", "XOR 2-2-1, gradient", "XOR 2-2-1, finite", "chain", "2-8-1"))
]  # fmt: skip
SECONDS = 0.001  # of a round's training
ROUNDS, QUICK_ROUNDS = 400, 20
AVX2 = "no AVX-512"


def named() -> dict[str, Choices]:
    """What is tried; that which is chosen here comes first."""
    tables = [Choices(table, once, swaps) for table in (512, 256) for once in (True, False) for swaps in (True, False)]
    here = by_processor.by_name(llvm.get_host_cpu_name())
    return {words(each): each for each in sorted(tables, key=lambda each: each != here)}


def words(choices: Choices) -> str:
    """Short enough for a column."""
    table = f"table of {choices.table}"
    bounds = "vrange" if choices.bounds_at_once else "max, min"
    return f"{table}, {bounds}, {'vshuff' if choices.swaps_by_vshuff else 'vpermpd'}"


# -- a process by one choice -----------------------------------------------------------------------


def serve(name: str) -> None:
    """Train the work whose number comes on a line, as often as asked, and answer with nanoseconds of an update."""
    if name != AVX2:
        by_processor.CHOICES = {"": named()[name]}
    epochs = [_epochs(case) for case in WORKS]
    print("ready", flush=True)
    for line in sys.stdin:
        case = WORKS[int(line)]
        print(_nanoseconds(case, epochs[int(line)]), flush=True)


def _nanoseconds(case: Case, epochs: int) -> float:
    run = fastgd.train(
        case.net, *case.data, epochs, case.learning_rate, params=case.initial, method=case.method, eps=case.eps, kernel="unrolled",
        threads=1, record=2,
    )  # fmt: skip
    return 1e9 * run.seconds / epochs


def _epochs(case: Case) -> int:
    _nanoseconds(case, 1000)  # which compiles it
    return int(1e9 * SECONDS / _nanoseconds(case, 10_000)) + 1


# -- all of them -----------------------------------------------------------------------------------


def start(name: str, folder: str) -> subprocess.Popen[str]:
    environment = os.environ | {"FASTGD_CACHE_DIR": os.path.join(folder, name.replace(" ", "-")), "FASTGD_READY_MADE": "0"}
    if name == AVX2:
        features = [feature for feature in llvm.get_host_cpu_features().flatten().split(",") if not feature.startswith("+avx512")]
        environment |= {"NUMBA_CPU_NAME": llvm.get_host_cpu_name(), "NUMBA_CPU_FEATURES": ",".join(features)}
    command = [sys.executable, __file__, "--serve", name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def asked(process: subprocess.Popen[str], line: str = "") -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    process.stdin.flush()
    return process.stdout.readline()


def measure(names: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """The least nanoseconds of an update, of each work by each choice."""
    least = {name: [float("inf")] * len(WORKS) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        processes = {name: start(name, folder) for name in names}
        for name, process in processes.items():
            if asked(process) != "ready\n":
                sys.exit(f"{name}: its process has ended")
        for _ in range(rounds):
            for i in range(len(WORKS)):
                for name, process in processes.items():
                    least[name][i] = min(least[name][i], float(asked(process, f"{i}\n")))
        for process in processes.values():
            process.communicate()
    return least


def lines(rounds: int) -> Iterator[str]:
    names = [*named(), AVX2]
    least = measure(names, rounds)
    yield from (f"{i}  {case.name}" for i, case in enumerate(WORKS, 1))
    yield ""
    yield f"{'ns an update':32}" + "".join(f"{i:14}" for i in range(1, len(WORKS) + 1))
    for name in names:
        of_chosen = zip(least[name], least[names[0]], strict=True)
        yield f"{name:32}" + "".join(f"{each:8.2f}{each / chosen:6.3f}" for each, chosen in of_chosen)
    yield ""
    for i, case in enumerate(WORKS):
        yield f"quickest of {case.name}: {min(names, key=lambda name: least[name][i])}"
    yield f"chosen here: {names[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    parser.add_argument("--serve", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if "avx512vl" not in {name for name, there in llvm.get_host_cpu_features().items() if there}:
        sys.exit("this processor has no AVX-512: there is nothing to choose")
    print(*short_fact_lines(facts()), "", sep="\n")
    for line in lines(QUICK_ROUNDS if options.quick else ROUNDS):
        print(line, flush=True)


if __name__ == "__main__":
    main()
