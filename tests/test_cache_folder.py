"""The folder of compiled code: private, and no trouble of it, nor that there is none, is an error."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest
import tiny_kernel
from tiny_kernel import fresh, kernel_file, twice

import fastgd
from fastgd.machine import cache, cache_folder


def test_the_folder_is_made_private(own_cache, compilations):
    assert twice(fresh(), 21) == 42
    assert twice(fresh(), 21) == 42
    assert compilations == ["tiny_0"]
    assert own_cache.stat().st_mode & 0o077 == 0
    assert [path.name for path in own_cache.iterdir()] == ["tiny_0.kernel"]


# -- trouble with the folder -----------------------------------------------------------------------------------------------


@pytest.fixture
def assert_compiles_each_time(own_cache, compilations, monkeypatch):
    """Without a file to read, without an error, and with one warning that says why."""
    monkeypatch.setattr(cache, "_has_warned", False)

    def check(reason):
        before = len(compilations)
        with pytest.warns(RuntimeWarning, match="compiled code can't be kept") as warned:
            assert twice(fresh(), 21) == 42
        (warning,) = warned
        assert twice(fresh(), 21) == 42
        assert len(compilations) == before + 2
        assert f"in {cache_folder.folder()}: {reason};" in str(warning.message)
        assert warning.filename == tiny_kernel.__file__

    return check


def test_a_file_in_its_place(own_cache, assert_compiles_each_time):
    own_cache.write_text("in the way")
    assert_compiles_each_time("it is no folder")
    assert cache_folder.trouble() == "it is no folder"
    assert own_cache.read_text() == "in the way"


def test_a_place_that_cannot_be(assert_compiles_each_time, monkeypatch):
    monkeypatch.setenv("FASTGD_CACHE_DIR", f"{os.devnull}/cache")
    assert_compiles_each_time("Not a directory")
    assert cache_folder.trouble() == "Not a directory"


@pytest.mark.parametrize("name", ["os.open", "os.replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13, "Permission denied")])
def test_a_failed_write_leaves_nothing(name, error, own_cache, assert_compiles_each_time, monkeypatch):
    def fail(*arguments, **keywords):
        raise error

    monkeypatch.setattr(name, fail)
    assert_compiles_each_time(error.strerror)
    assert list(own_cache.iterdir()) == []


def test_nobody_waits_for_the_disk(own_cache, compilations, monkeypatch):
    """Code that a power cut damages is compiled anew."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: pytest.fail("is waited for"))
    assert twice(fresh(), 21) == twice(fresh(), 21) == 42
    assert compilations == ["tiny_0"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(own_cache, assert_compiles_each_time):
    own_cache.mkdir(mode=0o500)
    assert_compiles_each_time("Permission denied")
    assert cache_folder.trouble() == "Permission denied"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to(mode, own_cache, assert_compiles_each_time):
    """Code is run from it, so it is left alone."""
    assert twice(fresh(), 21) == 42
    assert cache_folder.trouble() is None
    own_cache.chmod(mode)
    before = kernel_file(own_cache).read_bytes()
    assert_compiles_each_time("others may write to it")
    assert cache_folder.trouble() == "others may write to it"
    assert kernel_file(own_cache).read_bytes() == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else(own_cache, assert_compiles_each_time):
    own_cache.mkdir(mode=0o700)
    os.chown(own_cache, 65534, 65534)
    assert_compiles_each_time("it belongs to another user")
    assert cache_folder.trouble() == "it belongs to another user"
    assert os.listdir(own_cache) == []


# -- no folder ---------------------------------------------------------------------------------------------------------------


def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")


@pytest.fixture
def homeless(monkeypatch):
    """As in a container whose user has no HOME and no line in passwd."""
    for name in ("FASTGD_CACHE_DIR", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr(cache, "_has_warned", False)


def assert_nothing_is_kept(compilations, tmp_path, monkeypatch, *words):
    """Each process compiles, says why once, and gives its result; the working directory stays empty."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    with pytest.warns(RuntimeWarning, match="compiled code can't be kept") as warned:
        assert twice(fresh(), 21) == 42
    assert twice(fresh(), 21) == 42
    (warning,) = warned
    assert all(word in str(warning.message) for word in words)
    assert warning.filename == tiny_kernel.__file__
    assert len(compilations) == 2
    assert cache_folder.trouble() is not None
    assert cache_folder.entries() == []
    assert cache_folder.clear() == 0
    assert list(place.iterdir()) == []


POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX accounts")


@POSIX
def test_no_home(homeless, compilations, tmp_path, monkeypatch):
    assert_nothing_is_kept(compilations, tmp_path, monkeypatch, "home")


@POSIX
@pytest.mark.parametrize("chosen", ["~/x", "~no-such-user/x"])
def test_a_folder_in_no_home(chosen, homeless, compilations, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTGD_CACHE_DIR", chosen)
    assert_nothing_is_kept(compilations, tmp_path, monkeypatch, "home")


@POSIX
def test_a_home_that_platformdirs_does_not_find(homeless, compilations, tmp_path, monkeypatch):
    """Before 4.3 it went on with the path as it stood: of a folder called ~ in the working directory."""
    monkeypatch.setattr(cache_folder.platformdirs, "user_cache_path", lambda name: Path("~/.cache") / name)
    assert_nothing_is_kept(compilations, tmp_path, monkeypatch, "home")


@POSIX
@pytest.mark.parametrize("home", [".", "home/me"])
def test_a_home_that_is_not_absolute(home, homeless, compilations, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", home)
    assert_nothing_is_kept(compilations, tmp_path, monkeypatch)


@pytest.mark.parametrize("chosen", [".", "cache", "./cache", "../cache", " "])
def test_a_folder_that_is_not_absolute(chosen, compilations, tmp_path, monkeypatch):
    """Code would be run that lies where the process happens to work."""
    monkeypatch.setattr(cache, "_has_warned", False)
    monkeypatch.setenv("FASTGD_CACHE_DIR", chosen)
    assert_nothing_is_kept(compilations, tmp_path, monkeypatch, repr(str(Path(chosen))), "absolute")


@POSIX
@pytest.mark.parametrize("elsewhere", ["cache", "./cache"])
def test_a_place_for_caches_that_is_not_absolute_counts_for_nothing(elsewhere, tmp_path, monkeypatch):
    """As XDG has it."""
    for name, value in {"HOME": str(tmp_path), "XDG_CACHE_HOME": elsewhere, "FASTGD_CACHE_DIR": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cache_folder.platformdirs, "user_cache_path", lambda name: Path(elsewhere) / name)
    assert cache_folder.folder() == tmp_path.resolve() / ".cache" / "fastgd"


ERRORS = [
    RuntimeError("Symlink loop"), KeyError("uid"), ValueError("embedded null byte"), TypeError("no path"), MemoryError(),
    OSError("no number"), UnicodeEncodeError("ascii", "\xe9", 0, 1, "no such letter"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["platformdirs.user_cache_path", "pathlib.Path.mkdir", "os.replace", "tempfile.TemporaryFile"])
def test_any_error_of_the_folder(place, error, compilations, tmp_path, monkeypatch):
    """In finding it, making it, and writing to it; none ends the work."""
    monkeypatch.setattr(cache, "_has_warned", False)
    for name, value in {"HOME": str(tmp_path / "home"), "FASTGD_CACHE_DIR": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def fail(*arguments, **keywords):
        raise error

    monkeypatch.setattr(place, fail)
    writes = place != "tempfile.TemporaryFile"  # with which it is only tried out
    with pytest.warns(RuntimeWarning, match="compiled code can't be kept") if writes else nullcontext():
        assert twice(fresh(), 21) == 42
    assert len(compilations) == 1
    assert (cache_folder.trouble() is None) == (place == "os.replace")


HOMELESS = """
import os
import pwd
import warnings

def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = nobody
for name in ("HOME", "FASTGD_CACHE_DIR", "XDG_CACHE_HOME"):
    os.environ.pop(name, None)
import fastgd
from fastgd.cli.main import main
X, Y = [[0.0], [1.0], [2.0]], [[1.0], [0.0], [0.5]]
net = fastgd.MLP(1, 1)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    run = fastgd.train(net, X, Y, 5, rng=0, kernel="unrolled")
    outputs = run.predict(X)
    runs = fastgd.train_many(net, X, Y, 5, members=2, rng=0)
assert len(warned) == 1, warned
assert "can't be kept: " in str(warned[0].message), warned
print(run.params.tobytes().hex(), outputs.tobytes().hex(), runs.params.tobytes().hex())
assert main(["cache"]) == 0
assert main(["cache", "--clear"]) == 0
"""


@POSIX
def test_everything_works_without_a_home(python):
    """Training, predicting, training many, and the command; to the same bits."""
    X, Y = [[0.0], [1.0], [2.0]], [[1.0], [0.0], [0.5]]
    net = fastgd.MLP(1, 1)
    run = fastgd.train(net, X, Y, 5, rng=0, kernel="unrolled")
    results = (run.params, run.predict(X), fastgd.train_many(net, X, Y, 5, members=2, rng=0).params)
    first, *command = python(HOMELESS).splitlines()
    assert first.split() == [each.tobytes().hex() for each in results]
    assert command[0] == "no cache folder: 0 kernels, 0.0 MB"
    assert command[1].startswith("  nothing can be kept there: ")
    assert command[-1] == "deleted 0 files from no cache folder"


def test_a_folder_in_its_place(own_cache, assert_compiles_each_time):
    kernel_file(own_cache).mkdir(parents=True)
    own_cache.chmod(0o700)
    assert_compiles_each_time("Is a directory")


def test_training_without_a_cache_folder(python, tmp_path):
    """The real kernels, compiled in memory: the same bits, and one warning for all of them, which names the caller's line."""
    place = tmp_path / "cache"
    place.write_text("in the way")
    program = """
import warnings
import fastgd
X, Y = fastgd.data.gate("xor")
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
    run.predict(X)
assert [(each.category, each.filename, each.lineno) for each in warned] == [(RuntimeWarning, "<string>", 7)]
print(run.params.tobytes().hex(), run.cost)
"""
    X, Y = fastgd.data.gate("xor")
    run = fastgd.train(fastgd.MLP(2, 2, 1), X, Y, 100, 1.0, rng=0, kernel="matrix")
    assert python(program, FASTGD_CACHE_DIR=place, FASTGD_READY_MADE=0).split() == [run.params.tobytes().hex(), str(run.cost)]
