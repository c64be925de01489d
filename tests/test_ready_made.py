"""Machine code that comes with the package: used where it is whole, fits the processor and was made of these very sources."""

import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from tiny_kernel import FLOAT64, PACKAGE, TINY, damaged, fresh, twice

import fastgd
from fastgd.kernels.shelf import shelf
from fastgd.kernels.shipped import shipped
from fastgd.machine import cache, cache_folder, kernel_file, ready_made, sources

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")

MAKING = """
import sys
from pathlib import Path
from fastgd.kernels.shipped import shipped
from fastgd.machine import ready_made
for entry in shipped():
    if "MLP(2, 1," in entry.source and "backprop" in entry.source and entry.dtype == "float64":
        ready_made.make(entry.source, entry.function, entry.dtype, Path(sys.argv[1]))
"""
TRAINING = """
import sys
sys.path.insert(0, sys.argv[1])
import fastgd
assert fastgd.__file__.startswith(sys.argv[1]), fastgd.__file__
X, Y = fastgd.data.gate("nand")
run = fastgd.train(fastgd.MLP(2, 1), X, Y, 1000, 1.0, rng=0, kernel="unrolled")
print(run.params.tobytes().hex(), "numba" in sys.modules)
"""


@pytest.fixture(scope="module")
def made(python, tmp_path_factory):
    """The code of the unrolled kernel of NAND, for the level of this processor: the folder of levels."""
    place = tmp_path_factory.mktemp("made") / "ready_made"
    level = ready_made.levels()[0]
    (place / level.name).mkdir(parents=True)
    python(MAKING, place / level.name, **level.settings)
    (file,) = place.glob("*/*.kernel")
    assert file.stat().st_size > 1000
    return place


@pytest.fixture
def package(made, tmp_path):
    """A folder in which fastgd is installed, ready-made code included."""
    place = tmp_path / "site"
    shutil.copytree(PACKAGE, place / "fastgd", ignore=shutil.ignore_patterns("__pycache__", "ready_made"))
    shutil.copytree(made, place / "fastgd" / "ready_made")
    return place


@pytest.fixture
def starts_numba(python, tmp_path):
    """Whether a process with an empty cache starts Numba to train NAND by a package; its parameters are those of this process."""
    X, Y = fastgd.data.gate("nand")
    params = fastgd.train(fastgd.MLP(2, 1), X, Y, 1000, 1.0, rng=0, kernel="unrolled").params

    def train(package, **environment):
        printed, numba_is_there = python(TRAINING, package, FASTGD_CACHE_DIR=tmp_path / "cache", **environment).split()
        np.testing.assert_allclose(np.frombuffer(bytes.fromhex(printed)), params, rtol=1e-12)
        return numba_is_there == "True"

    return train


needs_no_settings = pytest.mark.skipif(any(ready_made.fingerprint.settings()), reason="settings of Numba's are those of the code")


@needs_no_settings
def test_nothing_is_compiled(package, starts_numba, tmp_path):
    """Nor is anything written."""
    assert not starts_numba(package)
    assert not (tmp_path / "cache").exists()


@needs_no_settings
def test_in_an_archive(package, starts_numba, tmp_path):
    archive = tmp_path / "fastgd.zip"
    with zipfile.ZipFile(archive, "w") as files:
        for path in package.rglob("*.*"):
            files.write(path, path.relative_to(package))
    assert not starts_numba(archive)


@needs_no_settings
def test_an_edited_source(package, starts_numba):
    """Even if nothing changes by it."""
    path = package / "fastgd" / "formulas" / "updates.py"
    path.write_text(path.read_text() + "\n")
    assert starts_numba(package)
    assert not starts_numba(package)  # which the cache has then


@pytest.mark.parametrize("setting", ["NUMBA_OPT", "NUMBA_LOOP_VECTORIZE", "FASTGD_READY_MADE"])
def test_settings_that_ask_for_other_code(setting, package, starts_numba):
    assert starts_numba(package, **{setting: "0"})


def test_a_file_of_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = ready_made.why_not()
    Path(".numba_config.yaml").write_text("opt: 1")
    assert "settings of Numba's" in ready_made.why_not()
    Path(".numba_config.yaml").unlink()
    assert ready_made.why_not() == before


@POSIX
@needs_no_settings
def test_many_processes_and_a_package_that_nobody_may_write_to(package, starts_numba):
    places = [package, *package.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(starts_numba, [package] * 4)) == [False] * 4
    finally:
        for place in places:
            place.chmod(0o755)


def test_the_same_bytes_again(made, python, tmp_path):
    """Whatever the order of hashes, and without a path of the machine that they are made on."""
    level = ready_made.levels()[0]
    python(MAKING, tmp_path, PYTHONHASHSEED=12345, **level.settings)
    (file,) = tmp_path.iterdir()
    (before,) = made.glob("*/*.kernel")
    assert file.name == before.name
    assert file.read_bytes() == before.read_bytes()


@pytest.mark.parametrize(
    "entry", [each for each in shipped() if each.name.startswith(("matrix_train", "lanes"))], ids=lambda entry: entry.name
)
def test_no_path_of_this_machine(entry, monkeypatch):
    """Of all that may be in the code: those of Numba's own functions come with their errors."""
    monkeypatch.setenv("FASTGD_READY_MADE", "0")
    entry._prepare()
    code = (cache_folder.folder() / entry._file_name).read_bytes()
    for place in (Path(numba.__file__).parent, PACKAGE):
        assert str(place).encode() not in code


# -- what there is


class AskedError(Exception):
    """A kernel was called."""


# few rows, hidden halves, slices of units, few units: widths, rows and batch
ARRANGED = [((9, 8, 1), 9, 2), ((64, 32, 10), 150, 32), ((60, 256, 10), 64, None), ((30, 3, 1), 9, None)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_notes_and_every_network_are_served(dtype, monkeypatch):
    """Each call's first kernel is one that is shipped."""
    X, Y = fastgd.data.gate("nand")
    linear = fastgd.MLP(1, 1, activation="identity", bias=False, dtype=dtype)
    gate, xor = fastgd.MLP(2, 1, dtype=dtype), fastgd.MLP(2, 2, 1, dtype=dtype)
    wide = fastgd.MLP(30, 20, 3, activation="relu", output="softmax", loss="cross_entropy", dtype=dtype)
    rows, classes = np.zeros((4, 30)), np.eye(3)[[0, 1, 2, 0]]
    served, asked = {entry.name for entry in shipped() if entry.dtype == dtype}, set()

    def train_by_matrix(widths, n, batch_size):
        net = fastgd.MLP(*widths, dtype=dtype)
        fastgd.train(net, np.zeros((n, widths[0])), np.zeros((n, widths[-1])), 1, batch_size=batch_size, kernel="matrix")

    def ask(entry, *arguments):
        asked.add(entry.name)
        raise AskedError

    shelf.clear()
    monkeypatch.setattr(cache.Entry, "_ready", ask)
    for call in [
        *(partial(fastgd.train, gate, X, Y, 100, method=method, eps=0.1) for method in ("backprop", "finite_difference")),
        *(partial(fastgd.train, gate, X, Y, 8_000_000, method=method, eps=0.1) for method in ("backprop", "finite_difference")),
        *(partial(fastgd.train, linear, *fastgd.data.twice(), 10**7, method=method) for method in ("backprop", "finite_difference")),
        partial(fastgd.train, xor, X, Y, 10**7),
        partial(fastgd.train_many, xor, X, Y, 10**6, members=1000),
        partial(fastgd.train_many, wide, rows, classes, 100, members=2, optimizer="adam", batch_size=2),
        partial(wide.predict, wide.init(0), rows),
        partial(wide.gradient, wide.init(0), rows, classes),
        partial(xor.layer_costs, xor.init(0), X, Y),
        partial(fastgd.train, wide, rows, classes, 1, method="finite_difference", kernel="matrix"),
        *(partial(train_by_matrix, widths, n, batch_size) for widths, n, batch_size in ARRANGED),
    ]:
        with pytest.raises(AskedError):
            call()
    assert len(asked) >= 14  # XOR and its lanes, the others by two methods, the matrix kernel's and those that it calls
    assert asked <= served


def test_levels():
    """Each asks for more than the next, and is LLVM's level of that name."""
    for better, level in zip(ready_made.X86_64, ready_made.X86_64[1:], strict=False):
        assert set(better.features) > set(level.features)
    v4, v3, v2 = ready_made.X86_64
    assert "avx512vl" in v4.features
    assert {"avx2", "fma"} <= set(v3.features) - set(v2.features)
    assert "NUMBA_CPU_NAME" in v2.settings


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        ((), ["x86-64-v4", "x86-64-v3", "x86-64-v2"]),
        (("avx512dq",), ["x86-64-v3", "x86-64-v2"]),
        (("avx512f", "fma"), ["x86-64-v2"]),
        (("popcnt",), []),
    ],
)
def test_what_a_processor_runs(missing, names, monkeypatch):
    has = {feature: feature not in missing for feature in ready_made.X86_64[0].features}
    monkeypatch.setattr(ready_made.llvm, "get_host_cpu_features", lambda: has)
    monkeypatch.setattr(ready_made.llvm, "get_process_triple", lambda: "x86_64-unknown-linux-gnu")
    assert [level.name for level in ready_made.levels()] == names


def test_another_kind_of_processor(monkeypatch):
    """Its own level, by its name, what it has and what others of that name have, before that of all of its kind."""
    monkeypatch.setattr(ready_made.llvm, "get_process_triple", lambda: "aarch64-unknown-linux-gnu")
    monkeypatch.setattr(ready_made.llvm, "get_host_cpu_name", lambda: "neoverse-n1")
    names = set()
    for features in ({"neon": True, "sve": False}, {"neon": True, "sve": True}, {}):
        monkeypatch.setattr(ready_made.llvm, "get_host_cpu_features", lambda features=features: features)
        own, every = ready_made.levels()
        assert own.cpu == "neoverse-n1"
        written = ",".join(("+" if there else "-") + name for name, there in features.items())
        assert own.settings["NUMBA_CPU_FEATURES"] == written
        assert every == ready_made.ARM64[0]
        names.add(own.name)
    assert len(names) == 3


@pytest.mark.parametrize(
    ("triple", "published"),
    [
        ("x86_64-unknown-linux-gnu", ready_made.X86_64), ("aarch64-unknown-linux-gnu", ready_made.ARM64),
        ("arm64-apple-darwin23.1.0", ready_made.ARM64), ("powerpc64le-unknown-linux-gnu", ()),
    ],
)  # fmt: skip
def test_the_levels_of_wheels_that_are_published(triple, published, monkeypatch):
    """None elsewhere, where there is still a processor's own."""
    monkeypatch.setattr(ready_made.llvm, "get_process_triple", lambda: triple)
    monkeypatch.setattr(ready_made.llvm, "get_host_cpu_features", lambda: dict.fromkeys(ready_made.X86_64[0].features, True))
    assert ready_made.published() == published
    assert ready_made.levels()


def test_what_every_arm64_has():
    """LLVM takes the level for a processor that has vectors and fused products, and nothing that came later."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    (level,) = ready_made.ARM64
    text = """
    define <4 x double> @f(<4 x double> %x, <4 x double> %y, i64* %at) {
      %product = fmul contract <4 x double> %x, %y
      %sum = fadd contract <4 x double> %product, %y
      %old = atomicrmw add i64* %at, i64 1 acq_rel
      ret <4 x double> %sum
    }
    """
    try:
        target = llvm.Target.from_triple("aarch64-unknown-linux-gnu")
    except RuntimeError as error:
        pytest.skip(str(error))
    machine = target.create_target_machine(cpu=level.cpu, features=level.settings["NUMBA_CPU_FEATURES"])
    words = set(machine.emit_assembly(llvm.parse_assembly(text)).split())
    assert {"fmla", "ldaxr", "stlxr"} <= words
    assert "ldaddal" not in words


# -- trouble with a file


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package's folder of levels, with the code of TINY for one; the cache is empty."""
    level = ready_made.Level("mine", "", ())
    place = tmp_path / "ready_made" / level.name
    place.mkdir(parents=True)
    monkeypatch.setenv("FASTGD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(ready_made, "FOLDER", str(place.parent))
    monkeypatch.setattr(ready_made, "levels", lambda: [ready_made.Level("better", "", ()), level])
    monkeypatch.setattr(ready_made.fingerprint, "settings", list)
    ready_made.make(TINY, "twice", FLOAT64, place)
    return place


def test_what_is_whole_is_used(folder, compilations):
    assert twice(fresh(), 21) == 42
    assert compilations == []
    assert cache_folder.entries() == []


def test_what_the_user_has_compiled_comes_first(folder, compilations, monkeypatch):
    monkeypatch.setenv("FASTGD_READY_MADE", "0")
    assert twice(fresh(), 21) == 42
    assert compilations == ["tiny_0"]
    monkeypatch.delenv("FASTGD_READY_MADE")
    monkeypatch.setattr(ready_made, "find", lambda *arguments: pytest.fail("looked for in the package"))
    assert twice(fresh(), 21) == 42


@pytest.mark.parametrize("damage", damaged(b"{}\n00"))
def test_a_damaged_file(damage, folder, compilations):
    """As if it were not there: compiled, and kept in the cache; the package stays as it is."""
    (file,) = folder.iterdir()
    broken = damaged(file.read_bytes())[damage]
    file.write_bytes(broken)
    for _ in range(2):
        assert twice(fresh(), 21) == 42
        assert compilations == ["tiny_0"]
    assert file.read_bytes() == broken


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'"calls": [', b'"calls": ["no_such_function"'), (b'"function": "', b'"function": "no'), (b'"calls"', b'"called"')],
)
def test_code_that_cannot_be_linked(before, after, folder, compilations):
    """It is named, and compiled."""
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes().replace(before, after, 1))
    with pytest.warns(RuntimeWarning, match="the ready-made code of tiny_0 can't be linked"):
        assert twice(fresh(), 21) == 42
    assert twice(fresh(), 21) == 42
    assert compilations == ["tiny_0"]


def test_sources_that_cannot_be_read(folder, compilations, monkeypatch):
    def fail():
        raise OSError("could not get source code")

    monkeypatch.setattr(sources, "digest", fail)
    assert ready_made.find(TINY, "twice", FLOAT64) is None


def test_what_the_command_says(folder, capsys, monkeypatch):
    from fastgd.cli.main import main

    (file,) = folder.iterdir()
    facts, code = kernel_file.read(file.read_bytes())
    kernel_file.write(folder / "old.kernel", facts | {"sources": "before"}, code)
    (folder / "cut.kernel").write_bytes(b"cut")
    assert main(["cache"]) == 0
    _, title, *lines = capsys.readouterr().out.splitlines()
    assert title.startswith("ready-made for mine: 3 kernels, ")
    assert [line.split("kB")[1].strip() for line in lines] == [
        "Tiny twice, float64", "Tiny twice, float64, of other sources: not used", "damaged",
    ]  # fmt: skip
    monkeypatch.setenv("FASTGD_READY_MADE", "No")
    assert main(["cache"]) == 0
    assert "  not used: FASTGD_READY_MADE is No" in capsys.readouterr().out.splitlines()
