"""The package as others install it: in an archive, as bytecode alone, without metadata."""

import py_compile
import zipfile
from pathlib import Path

import pytest

import fastgd

PACKAGE = Path(fastgd.__file__).parent
TRAINING = """
import importlib.metadata
import sys

def missing(name):
    raise importlib.metadata.PackageNotFoundError(name)

importlib.metadata.version = importlib.metadata.distribution = missing
sys.path.insert(0, sys.argv[1])
import fastgd
assert fastgd.__file__.startswith(sys.argv[1]), fastgd.__file__
net = fastgd.MLP(1, 1)
run = fastgd.train(net, [0.0, 1.0, 2.0], [1.0, 0.0, 0.5], 5, rng=0, kernel="unrolled")
print(run.params.tobytes().hex(), "numba" in sys.modules)
print(net.source(3))
"""


def files(suffix, tmp_path):
    """The package's files by their names in it: text, or bytecode in its place."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = Path("fastgd") / path.relative_to(PACKAGE).with_suffix(suffix)
        if suffix == ".pyc":
            compiled = tmp_path / "compiled" / name
            py_compile.compile(str(path), str(compiled), str(name), doraise=True)
            path = compiled
        yield name.as_posix(), path


@pytest.fixture(params=["an archive", "an archive of bytecode", "bytecode"])
def installed(request, tmp_path):
    """Where it is, so that it can be imported."""
    every = list(files(".pyc" if "bytecode" in request.param else ".py", tmp_path))
    if request.param == "bytecode":
        return tmp_path / "compiled"
    with zipfile.ZipFile(tmp_path / "fastgd.zip", "w") as archive:
        for name, path in every:
            archive.write(path, name)
    return tmp_path / "fastgd.zip"


def test_a_training(installed, python, tmp_path):
    """To the same bits, by the same text; and the second process finds what the first has compiled."""
    net = fastgd.MLP(1, 1)
    run = fastgd.train(net, [0.0, 1.0, 2.0], [1.0, 0.0, 0.5], 5, rng=0, kernel="unrolled")
    for starts_numba in (True, False):
        first, source = python(TRAINING, installed, FASTGD_CACHE_DIR=tmp_path / "cache").split("\n", 1)
        assert first.split() == [run.params.tobytes().hex(), str(starts_numba)]
        assert source.rstrip() == net.source(3).rstrip()
    (file,) = (tmp_path / "cache").iterdir()
    assert file.suffix == ".kernel"
