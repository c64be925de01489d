"""Compiled code on disk: found again by another process, never stale, and no trouble of the cache folder is an error."""

import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import fastgd
from fastgd.kernels import store

TINY = """
import numba

@numba.njit(cache=True)
def twice(x):
    return x + x
"""

PROGRAM = f"""
from fastgd.kernels.store import entry
twice = entry("tiny", {TINY!r}, "twice")
assert twice(21.0) == 42.0
(compiled,) = twice._compiled.values()
stats = compiled.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""

PACKAGE = Path(fastgd.__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of this test's own."""
    place = tmp_path / "cache"
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(place))
    return place


def in_memory(entry):
    (compiled,) = entry._compiled.values()
    return compiled.__code__.co_filename.startswith("<")


def fresh():
    """An entry that has not been called, as in a new process."""
    sys.modules.pop(store._module_name("tiny_0"), None)
    return store.Entry("tiny_0", TINY, "twice")


def test_a_second_process_loads_from_disk(python, folder):
    assert python(PROGRAM, FASTGD_CACHE_DIR=folder).split() == ["0", "1"]
    assert python(PROGRAM, FASTGD_CACHE_DIR=folder).split() == ["1", "0"]


def test_a_kernel_is_loaded_from_disk(python):
    """The matrix kernel, from the cache folder of these tests, which an earlier call here has filled."""
    program = """
import fastgd
from fastgd.kernels import matrix, store
called = []
prepare = store.Entry._prepare
store.Entry._prepare = lambda self, args: called.append(prepare(self, args)) or called[-1]
X, Y = fastgd.data.gate("xor")
run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
print(run.params.tobytes().hex(), sum(sum(c.stats.cache_misses.values()) for c in called), len(called) > 0)
"""
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
    assert python(program).split() == [run.params.tobytes().hex(), "0", "True"]


def test_processes_that_make_the_same_kernel_at_once(python, folder):
    """All succeed with the same bits, one module is left, and a later process finds it."""
    program = """
import fastgd
from fastgd.kernels import store
called = []
prepare = store.Entry._prepare
store.Entry._prepare = lambda self, args: called.append(prepare(self, args)) or called[-1]
X, Y = fastgd.data.gate("nand")
run = fastgd.train(fastgd.MLP(2, 1), X, Y, 1000, 1.0, rng=0, kernel="unrolled")
(compiled,) = called
assert not compiled.__code__.co_filename.startswith("<"), "compiled in memory"
print(run.params.tobytes().hex(), run.cost, sum(compiled.stats.cache_misses.values()))
"""
    with ThreadPoolExecutor(4) as pool:
        printed = list(pool.map(lambda _: python(program, FASTGD_CACHE_DIR=folder).split(), range(4)))
    assert len({tuple(line[:2]) for line in printed}) == 1
    assert "1" in {line[2] for line in printed}
    assert python(program, FASTGD_CACHE_DIR=folder).split() == [*printed[0][:2], "0"]
    (module,) = folder.glob("*.py")
    files = {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()} - {Path(module.name)}
    assert {file.suffix for file in files} - {".pyc"} == {".nbi", ".nbc"}
    assert all(file.parent.name == "__pycache__" and file.name.startswith(f"{module.stem}.") for file in files)


def test_the_folder_is_made_private(folder):
    entry = fresh()
    assert entry(21.0) == 42.0
    assert not in_memory(entry)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "tiny_0.py").read_text() == TINY
    assert list(folder.rglob("*.nbi"))
    assert not list(folder.glob(".*"))


# -- never stale --------------------------------------------------------------------------------------------------------


def compiled_sources():
    """Every file of the package with code for Numba in it, found by reading."""
    marks = re.compile(r"^@(inline|kernel|merged|intrinsic|lower_\w+|infer_\w+|numba\.njit)|njit\(", re.MULTILINE)
    found = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if marks.search(path.read_text()))
    assert Path("kernels/matrix.py") in found
    assert Path("numeric.py") in found
    return [path for path in found if path.parts[0] != "cli"]


@pytest.mark.parametrize("source", compiled_sources(), ids=str)
def test_an_edit_changes_the_key(source, tmp_path, monkeypatch):
    """Every kernel source counts, and the versions too."""
    copy = tmp_path / "fastgd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(store, "PACKAGE", copy)
    before = store._fingerprint.__wrapped__()
    assert store._fingerprint.__wrapped__() == before
    with open(copy / source, "a") as file:
        file.write("\n")
    assert store._fingerprint.__wrapped__() != before


def test_an_edit_changes_the_key_of_another_process(python, tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "fastgd", ignore=shutil.ignore_patterns("__pycache__"))
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import fastgd
assert fastgd.__file__.startswith({str(tmp_path)!r})
from fastgd.kernels import store
print(store.entry("tiny", {TINY!r}, "twice").name)
"""
    before = python(program)
    assert python(program) == before
    path = tmp_path / "fastgd" / "updates.py"
    path.write_text(path.read_text().replace("w - rate", "w + rate"))
    assert python(program) != before


def test_settings_and_texts_change_the_key(monkeypatch):
    names = {store.entry("tiny", text, "twice").name for text in (TINY, TINY + "\n")}
    assert len(names) == 2
    before = store._fingerprint.__wrapped__()
    for setting, value in [("numba.config.BOUNDSCHECK", not store.numba.config.BOUNDSCHECK), ("numba.__version__", "0.0.1")]:
        with monkeypatch.context() as patch:
            patch.setattr(setting, value)
            assert store._fingerprint.__wrapped__() != before


# -- trouble with the folder -----------------------------------------------------------------------------------------------


def test_a_file_in_its_place(folder):
    folder.write_text("in the way")
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)
    assert folder.read_text() == "in the way"


def test_a_place_that_cannot_be(folder, monkeypatch):
    monkeypatch.setenv("FASTGD_CACHE_DIR", f"{os.devnull}/cache")
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)


def test_a_full_disk(folder, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.tempfile, "mkstemp", full)
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)


@pytest.mark.parametrize("name", ["mkstemp", "os.replace"])
def test_a_failed_write_leaves_nothing(name, folder, monkeypatch):
    def fail(*arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.tempfile if name == "mkstemp" else store.os, name.removeprefix("os."), fail)
    assert fresh()(21.0) == 42.0
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder):
    folder.mkdir(mode=0o500)
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to(mode, folder):
    """Code is run from it, so it is left alone."""
    folder.mkdir()
    folder.chmod(mode)
    (folder / "tiny_0.py").write_text("raise SystemExit('run')\n")
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)
    assert os.listdir(folder) == ["tiny_0.py"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else(folder):
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    entry = fresh()
    assert entry(21.0) == 42.0
    assert in_memory(entry)
    assert os.listdir(folder) == []


@pytest.mark.parametrize(
    "content", [b"", b"raise ValueError('damaged')\n", b"\xff\xfe\x00", TINY.encode()[:20], b"import no_such_module\n"]
)
def test_a_damaged_module(content, folder):
    assert fresh()(21.0) == 42.0
    (folder / "tiny_0.py").write_bytes(content)
    assert fresh()(21.0) == 42.0


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "foreign pickle", "folder"])
def test_damaged_machine_code(suffix, damage, folder):
    import pickle

    assert fresh()(21.0) == 42.0
    (path,) = folder.rglob(f"*.{suffix}")
    whole = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        changed = {
            "empty": b"",
            "cut": whole[: len(whole) // 2],
            "noise": np.random.default_rng(0).bytes(len(whole)),
            "foreign pickle": pickle.dumps(("1", 2)),
        }
        path.write_bytes(changed[damage])
    assert fresh()(21.0) == 42.0


def test_training_without_a_cache_folder(python, tmp_path):
    """The real kernel, compiled in memory: the same bits."""
    place = tmp_path / "cache"
    place.write_text("in the way")
    program = """
import fastgd
X, Y = fastgd.data.gate("xor")
run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
print(run.params.tobytes().hex(), run.cost)
"""
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
    assert python(program, FASTGD_CACHE_DIR=place).split() == [run.params.tobytes().hex(), str(run.cost)]


def test_types_that_come_later_are_protected_too(folder):
    """A first call reads or writes the folder without trouble; by the next dtype its files are damaged."""
    entry = fresh()
    assert entry(21.0) == 42.0
    for file in folder.rglob("*.nb?"):
        file.write_bytes(b"")
    assert entry(21) == 42
    assert entry(21.0) == 42.0


def test_machine_code_lies_in_the_folder_that_was_looked_at(python, folder, tmp_path):
    """NUMBA_CACHE_DIR names a folder whose owner nobody checks: it is not used."""
    elsewhere = tmp_path / "elsewhere"
    python(PROGRAM, FASTGD_CACHE_DIR=folder, NUMBA_CACHE_DIR=elsewhere)
    assert list(folder.rglob("*.nbc"))
    assert not list(elsewhere.rglob("*.nbc"))
