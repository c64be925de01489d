"""Build the wheel that is published for this kind of processor, x86-64 or arm64, with machine code for every level of it, and try it in an
empty environment, level by level.

python scripts/build_wheel.py [--out dist] [--wheel FILE] [--numbers FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
# the code calls functions of any C library, which are looked up when it is linked
PLATFORM = f"manylinux_2_17_{platform.machine()}" if sys.platform == "linux" else None
MOST_APART = 1000  # units of rounding, after a hundred epochs

# writes down what the notes' networks come to, and one that the matrix kernel serves; by the code of a level, without Numba
TRY = """
import os, pathlib, sys
import numpy as np
import fastgd
from fastgd.machine import ready_made

assert next(iter(ready_made.entries())) == sys.argv[2]
rng = np.random.default_rng(0)
results = []
for dtype in ("float64", "float32"):
    X, Y = fastgd.data.gate("xor")
    for net, kernel in [(fastgd.MLP(2, 1, dtype=dtype), "unrolled"), (fastgd.MLP(2, 2, 1, dtype=dtype), "unrolled")]:
        for method in ("backprop", "finite_difference"):
            run = fastgd.train(net, X, Y, 100, 0.5, rng=1, method=method, eps=0.1, kernel=kernel)
            results.append((run.params, run.cost))
    runs = fastgd.train_many(net, X, Y, 100, 0.5, rng=1, members=20, kernel="lanes")
    results.append((runs.params, runs.cost))
    wide = fastgd.MLP(10, 30, 3, activation="tanh", output="softmax", loss="cross_entropy", dtype=dtype)
    X, Y = rng.normal(size=(200, 10)), np.eye(3)[rng.integers(3, size=200)]
    run = fastgd.train(wide, X, Y, 10, 0.01, rng=1, batch_size=20, optimizer="adam")
    results += [(run.params, run.cost), (run.predict(X), 0.0)]
assert "numba" not in sys.modules, "something was compiled"
assert not pathlib.Path(os.environ["FASTGD_CACHE_DIR"]).exists(), "something was written"
np.savez(sys.argv[1], *[np.append(params, np.array(cost, params.dtype)) for params, cost in results])
"""


def main() -> None:
    """Build, try, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="FOLDER", help="where the wheel is put (default: %(default)s)")
    parser.add_argument("--wheel", type=Path, metavar="FILE", help="try this one instead of building one")
    parser.add_argument("--numbers", type=Path, metavar="FILE", help="what it comes to: written here, or compared with another wheel's")
    options = parser.parse_args()
    wheel = options.wheel.absolute() if options.wheel else build(options.out.absolute())
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as work:
        try_out(wheel, Path(work), options.numbers and options.numbers.absolute())


def build(out: Path) -> Path:
    """The wheel, in a folder that has no other."""
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.glob("*.whl"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)]
    if PLATFORM:
        command.append(f"--config-settings=--build-option=--plat-name={PLATFORM}")
    subprocess.run(command, check=True, env=os.environ | {"FASTGD_READY_MADE": "all", "SOURCE_DATE_EPOCH": _date()})
    made = set(out.glob("*.whl"))
    return max(made - before or made, key=lambda path: path.stat().st_mtime)


def _date() -> str:
    """Of the last commit, for files in the wheel: the same sources give the same bytes; 1980 in a folder that is no repository."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "315532800"


def try_out(wheel: Path, work: Path, numbers: Path | None) -> None:
    """Install the wheel alone; train by the code of each level that this processor has, the best first; compare their numbers."""
    names = levels_of(wheel)
    venv.create(work / "venv", with_pip=True)
    python = work / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON", "FASTGD_"))}
    environment["FASTGD_CACHE_DIR"] = str(work / "cache")
    first = read(numbers) if numbers and numbers.exists() else []
    whose = str(numbers) if first else names[0]
    for name in names:
        subprocess.run([python, "-c", TRY, work / "numbers.npz", name], cwd=work, env=environment, check=True)
        found = read(work / "numbers.npz")
        if numbers and not first:
            numbers.write_bytes((work / "numbers.npz").read_bytes())
        first = first or found
        apart = [float(np.max(np.abs(one - other)) / np.finfo(one.dtype).eps) for one, other in zip(found, first, strict=True)]
        print(f"{name}: works without compiling; {max(apart):.0f} units of rounding from {whose}")
        if max(apart) > MOST_APART:
            raise SystemExit(f"the numbers differ by more than rounding does: {apart}")
        (folder,) = (work / "venv").rglob(f"ready_made/{name}")  # the next one's turn
        folder.rename(work / name)


def levels_of(wheel: Path) -> list[str]:
    """The names of those that the wheel has code for and this processor runs, the best first."""
    sys.path.insert(0, str(ROOT))
    from fastgd.machine.ready_made import levels

    with zipfile.ZipFile(wheel) as file:
        there = {Path(name).parent.name for name in file.namelist() if name.endswith(".kernel")}
    names = [level.name for level in levels() if level.name in there]
    if not names:
        others = f" for this processor, but for {', '.join(sorted(there))}" if there else ""
        raise SystemExit(f"{wheel.name} has no machine code{others}")
    return names


def read(file: Path) -> list[np.ndarray]:
    """The arrays that a trial has written."""
    with np.load(file) as arrays:
        return list(arrays.values())


if __name__ == "__main__":
    main()
