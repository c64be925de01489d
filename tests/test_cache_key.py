"""What a kernel's file is named by: all that shapes compiled code, so that nothing stale is ever run."""

import ast
import os
import re
import shutil
from pathlib import Path

import numba
import numpy as np
import pytest
from tiny_kernel import FLOAT64, PACKAGE, TINY

from fastgd.machine import cache, fingerprint, sources


def compiled_sources():
    """Every file of the package with code for Numba in it, found by reading."""
    patience_cost = re.compile(r"^@(inline|kernel|merged|intrinsic|lower_\w+|infer_\w+|numba\.njit)|njit\(", re.MULTILINE)
    found = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if patience_cost.search(path.read_text()))
    assert Path("kernels/matrix/kernel.py") in found
    assert Path("machine/elementary.py") in found
    return [path for path in found if path.parts[0] != "cli"]


def key():
    """What all names have in common, as a new process computes it."""
    sources.digest.cache_clear()
    try:
        return fingerprint.fingerprint.__wrapped__()
    finally:
        sources.digest.cache_clear()


@pytest.mark.parametrize("source", compiled_sources(), ids=str)
def test_an_edit_changes_the_key(source, monkeypatch):
    """Every kernel source counts."""
    before = key()
    assert key() == before
    edited, bytes_of = source.with_suffix("").as_posix().replace("/", "."), sources.bytes_of
    monkeypatch.setattr(sources, "bytes_of", lambda module: bytes_of(module) + b"\n" * (module == edited))
    assert key() != before


def test_what_compiled_code_imports_counts():
    """Every module of the package that a file with compiled functions imports from, so that its constants count too."""
    imported = set()
    for source in compiled_sources():
        body = ast.parse((PACKAGE / source).read_text()).body
        decorators = {ast.unparse(each) for node in body if isinstance(node, ast.FunctionDef) for each in node.decorator_list}
        if decorators & {"inline", "kernel", "merged"}:  # not only in a text that is compiled
            imported |= {str(node.module) for node in body if isinstance(node, ast.ImportFrom)}
    needed = {module.removeprefix("fastgd.") for module in imported if module.startswith("fastgd.")}
    assert "state" in needed
    assert needed <= set(sources.modules())


def test_an_edit_changes_the_key_of_another_process(python, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "fastgd", ignore=shutil.ignore_patterns("__pycache__"))
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import fastgd
assert fastgd.__file__.startswith({str(tmp_path)!r})
from fastgd.machine import cache
import numpy as np
print(cache.entry("tiny", {TINY!r}, "twice", np.dtype("float64")).name)
"""
    before = python(program)
    assert python(program) == before
    path = tmp_path / "fastgd" / "optimizers" / "sgd.py"
    text = path.read_text()
    path.write_text(text.replace("w - rate", "w + rate"))
    assert path.read_text() != text
    assert python(program) != before


def test_what_changes_the_key(monkeypatch, tmp_path):
    """Text, dtype, versions, the processor, and Numba's settings."""
    dtypes = (FLOAT64, np.dtype("float32"))
    assert len({cache.entry("tiny", text, "twice", dtype).name for text in (TINY, TINY + "\n") for dtype in dtypes}) == 4
    before = key()
    monkeypatch.chdir(tmp_path)
    assert key() == before
    for change in [
        lambda patch: patch.setenv("NUMBA_BOUNDSCHECK", "2"),
        lambda patch: patch.setenv("NUMBA_OPT", "1"),
        lambda patch: patch.setenv("NUMBA_ENABLE_AVX", "0"),
        lambda patch: patch.setenv("NUMBA_DEBUGINFO", "1"),
        lambda patch: patch.setenv("NUMBA_SLP_VECTORIZE", "1"),
        lambda patch: patch.setenv("NUMBA_LOOP_VECTORIZE", "0"),
        lambda patch: patch.setattr(fingerprint.llvmlite, "__version__", "0.0.1"),
        lambda patch: patch.setattr(fingerprint, "_numba", lambda: b"0.0.1"),
        lambda patch: patch.setattr(fingerprint.llvm, "get_host_cpu_name", lambda: "other"),
        lambda patch: (tmp_path / ".numba_config.yaml").write_text("opt: 1"),
    ]:
        with monkeypatch.context() as patch:
            change(patch)
            assert key() != before


def test_settings_are_those_of_numba():
    """By the names that Numba reads, of its source."""
    source = Path(numba.config.__file__).read_text()
    of_old = {"USE_LEGACY_TYPE_SYSTEM"}  # up to Numba 0.62
    assert {name for name in fingerprint._SETTINGS if f'"NUMBA_{name}"' not in source} <= of_old


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"opt: 1 # caf\xe9", b""])
def test_a_file_of_settings_of_any_bytes(content, elsewhere):
    """It counts as it is: what it says is Numba's to read."""
    before = key()
    (elsewhere / ".numba_config.yaml").write_bytes(content)
    assert (key() == before) == (content == b"")


def test_no_file_of_settings(elsewhere):
    """A folder of its name, and a link to nothing or to itself, are as if they were not there."""
    place, before = elsewhere / ".numba_config.yaml", key()
    place.mkdir()
    assert key() == before
    place.rmdir()
    for target in ("nothing", place.name):
        place.symlink_to(target)
        assert key() == before
        place.unlink()


def test_a_file_of_settings_that_may_not_be_read(elsewhere, monkeypatch):
    before, read_bytes = key(), Path.read_bytes
    (elsewhere / ".numba_config.yaml").write_text("opt: 1")

    def refuse(path):
        if path.name == ".numba_config.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert key() == before


def test_a_setting_that_is_no_text(monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ, "NUMBA_CPU_NAME": os.fsdecode(b"caf\xe9")})
    assert b"NUMBA_CPU_NAME=caf\xe9" in list(fingerprint.settings())


LOCKED = """
import os
import sys
from fastgd.machine.fingerprint import settings
os.chdir(sys.argv[1])
os.chmod(".", 0)
if os.geteuid() == 0:
    os.setuid(65534)
try:
    os.stat(".numba_config.yaml")
except PermissionError:
    print(*settings())
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_working_directory_that_may_not_be_searched(python, tmp_path):
    """As after `sudo -u somebody` in root's home: there is no file of settings."""
    try:
        assert python(LOCKED, tmp_path).strip() == "b''"
    finally:
        tmp_path.chmod(0o700)
