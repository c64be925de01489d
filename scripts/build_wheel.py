"""Build the wheel that is published, with machine code for every level of x86-64, and try it in an empty environment, level by level.

python scripts/build_wheel.py [--out dist] [--wheel FILE]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLATFORM = "manylinux_2_17_x86_64"  # the code calls functions of any C library, which are looked up when it is linked
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
    options = parser.parse_args()
    wheel = options.wheel.absolute() if options.wheel else build(options.out.absolute())
    print(f"{wheel}: {wheel.stat().st_size / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as work:
        try_out(wheel, Path(work))


def build(out: Path) -> Path:
    """The wheel, in a folder that has no other."""
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.glob("*.whl"))
    options = f"--build-option=--plat-name={PLATFORM}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        f"--config-settings={options}",
        "--wheel-dir",
        str(out),
        str(ROOT),
    ]
    subprocess.run(command, check=True, env=os.environ | {"FASTGD_READY_MADE": "all", "SOURCE_DATE_EPOCH": _date()})
    made = set(out.glob("*.whl"))
    return max(made - before or made, key=lambda path: path.stat().st_mtime)


def _date() -> str:
    """Of the last commit, for files in the wheel: the same sources give the same bytes; 1980 in a folder that is no repository."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "315532800"


def try_out(wheel: Path, work: Path) -> None:
    """Install the wheel alone; train by the code of each level that this processor has, the best first; compare their numbers."""
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from fastgd.machine.ready_made import levels

    venv.create(work / "venv", with_pip=True)
    python = work / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "PYTHON", "FASTGD_"))}
    environment["FASTGD_CACHE_DIR"] = str(work / "cache")
    first: list[np.ndarray] = []
    for level in levels():
        subprocess.run([python, "-c", TRY, work / "numbers.npz", level.name], cwd=work, env=environment, check=True)
        with np.load(work / "numbers.npz") as file:
            found = list(file.values())
        first = first or found
        apart = [float(np.max(np.abs(one - other)) / np.finfo(one.dtype).eps) for one, other in zip(found, first, strict=True)]
        print(f"{level.name}: works without compiling; {max(apart):.0f} units of rounding from {levels()[0].name}")
        if max(apart) > MOST_APART:
            raise SystemExit(f"the levels differ by more than rounding does: {apart}")
        (folder,) = (work / "venv").rglob(f"ready_made/{level.name}")  # the next one's turn
        folder.rename(work / level.name)


if __name__ == "__main__":
    main()
