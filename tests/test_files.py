"""Whatever writes a file replaces it whole, where its name leads to, and leaves it open to whom it was."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from small_problem import NET, PARAMS, X, Y

import fastgd
from fastgd.cli.members import Members, write_members
from fastgd.cli.predict import _write_file
from fastgd.ensemble.runs import Runs
from fastgd.machine import cache as store
from fastgd.system import files
from fastgd.system.files import check_place, replace_file, sweep

OPTIONS = {"params": PARAMS, "rng": 5, "kernel": "matrix"}
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and devices")


@pytest.fixture(scope="module")
def run():
    return fastgd.train(NET, X, Y, 3, **OPTIONS)


@pytest.fixture(scope="module")
def runs():
    return fastgd.train_many(NET, X, Y, 3, members=2, rng=5, kernel="matrix")


WRITERS = {
    "Run.save": lambda path, run, runs: run.save(path),
    "Runs.save": lambda path, run, runs: runs.save(path),
    "checkpoint of train": lambda path, run, runs: fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS),
    "checkpoint of train_many": lambda path, run, runs: fastgd.train_many(NET, X, Y, 3, members=2, kernel="matrix", checkpoint=path),
    "predict --out": lambda path, run, runs: _write_file(path, ["y"], [[1.0]]),
    "sweep --out": lambda path, run, runs: write_members({"sgd": Members(runs, None)}, path),
}


@pytest.fixture(params=WRITERS)
def write(request, run, runs):
    """What writes a file at a path."""
    return lambda path: WRITERS[request.param](path, run, runs)


@pytest.fixture
def umask():
    """A function that sets it for the time of a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def whole(path):
    """That it is what one of the writers leaves."""
    content = Path(path).read_bytes()
    return content.startswith((b"PK\x03\x04", b"y\n", b"optimizer,"))


# -- links, modes, owners --------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["a file", "no file"])
def test_links_are_followed(there, write, tmp_path):
    """A chain of them, absolute and relative, from folder to folder; the temporary file is where the last one leads."""
    for name in ("data", "links"):
        (tmp_path / name).mkdir()
    if there:
        (tmp_path / "data" / "real.npz").write_bytes(b"old")
    os.symlink(os.path.join("..", "data", "real.npz"), tmp_path / "links" / "second")
    os.symlink(tmp_path / "links" / "second", tmp_path / "first")
    write(str(tmp_path / "first"))
    assert os.readlink(tmp_path / "first") == str(tmp_path / "links" / "second")
    assert (tmp_path / "links" / "second").is_symlink()
    assert whole(tmp_path / "data" / "real.npz")
    assert [sorted(os.listdir(folder)) for folder in (tmp_path, tmp_path / "links", tmp_path / "data")] == [
        ["data", "first", "links"],
        ["second"],
        ["real.npz"],
    ]


def test_a_checkpoint_behind_a_link_goes_on(path, tmp_path):
    (tmp_path / "data").mkdir()
    os.symlink(tmp_path / "data" / "real.npz", path)
    fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS)
    resumed = fastgd.train(NET, X, Y, 9, checkpoint=path, resume=True, **OPTIONS)
    assert resumed == fastgd.train(NET, X, Y, 9, **OPTIONS) == fastgd.load_run(tmp_path / "data" / "real.npz")


@POSIX
@pytest.mark.parametrize("mode", [0o664, 0o640, 0o600, 0o666])
def test_the_mode_stays(mode, write, path, umask):
    path.write_bytes(b"old")
    path.chmod(mode)
    umask(0o077)
    write(str(path))
    assert mode_of(path) == mode
    assert whole(path)


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_what_umask_leaves(mask, mode, write, path, umask):
    umask(mask)
    write(str(path))
    assert mode_of(path) == mode


@POSIX
def test_compiled_code_is_for_this_user_alone(path, umask):
    """Also where an older file was open to others: code is run from it."""
    umask(0o000)
    for _ in range(2):
        store._write(path, {}, b"code")
        assert mode_of(path) == 0o600
        path.chmod(0o666)


@POSIX
def test_what_is_being_written_is_not_open_to_others(path):
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen = []
    replace_file(path, lambda file: seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode)))
    assert seen == [0o600]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("allowed", ["all", "the group", "nothing"])
def test_owner_and_group_stay_where_they_may(allowed, path, monkeypatch):
    """The rights of a group are not given to another one."""
    path.write_bytes(b"old")
    path.chmod(0o664)
    try:
        os.chown(path, 1234, 5678)
    except PermissionError:
        pytest.skip("a root that may not")
    chown = os.chown

    def limited(path, owner, group):
        if allowed == "nothing" or (allowed == "the group" and owner != -1):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        chown(path, owner, group)

    monkeypatch.setattr(os, "chown", limited)
    replace_file(path, lambda file: file.write(b"new"))
    status = os.stat(path)
    expected = {"all": (1234, 5678, 0o664), "the group": (0, 5678, 0o664), "nothing": (0, os.getegid(), 0o604)}
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == expected[allowed]


def test_hard_links_part(path, tmp_path):
    """The other name keeps what it had, as copies made by links rely on."""
    path.write_bytes(b"old")
    os.link(path, tmp_path / "other")
    replace_file(path, lambda file: file.write(b"new"))
    assert (path.read_bytes(), (tmp_path / "other").read_bytes()) == (b"new", b"old")


def test_a_file_system_without_modes(path, monkeypatch):
    """As vfat mounted for another user, which allows no chmod."""

    def refuse(*arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    path.write_bytes(b"old")
    replace_file(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"


def test_a_long_name(write, tmp_path):
    """As long as names may be: the temporary one is shorter."""
    write(str(tmp_path / ("n" * 251 + ".npz")))
    assert [len(name) for name in os.listdir(tmp_path)] == [255]


# -- what is refused before any work ---------------------------------------------------------------------


def circle(folder):
    os.symlink("b", folder / "a")
    os.symlink("a", folder / "b")
    return folder / "a"


def into_a_missing_folder(folder):
    os.symlink(folder / "no" / "run.npz", folder / "a")
    return folder / "a"


def to_a_folder(folder):
    (folder / "place").mkdir()
    os.symlink("place", folder / "a")
    return folder / "a"


@pytest.mark.parametrize("link", [circle, into_a_missing_folder, to_a_folder])
def test_links_that_lead_nowhere(link, tmp_path, refused, no_compiled_code):
    path = link(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(OSError, match=r"symbolic links|no such folder|this is a folder"):
        fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS)
    assert refused("train", "--gate", "or", "--out", path).startswith("--out ")
    assert sorted(os.listdir(tmp_path)) == before


@pytest.fixture
def read_only(path, monkeypatch):
    """A file that may not be written, be it for root."""
    path.write_bytes(b"old")
    access = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: access(place, mode) and str(place) != str(path))
    return path


def test_a_read_only_file(read_only, refused, no_compiled_code):
    """It was made so to stay what it is."""
    with pytest.raises(PermissionError):
        fastgd.train(NET, X, Y, 3, checkpoint=read_only, **OPTIONS)
    assert "Permission denied" in refused("train", "--gate", "or", "--out", read_only)
    assert read_only.read_bytes() == b"old"


def test_a_file_that_becomes_read_only(read_only, run, monkeypatch):
    """What was trained meanwhile is kept beside it."""
    monkeypatch.setattr(files, "_WAITS", ())
    with pytest.raises(PermissionError, match="kept") as caught:
        run.save(read_only)
    assert fastgd.load_run(caught.value.filename2) == run
    assert read_only.read_bytes() == b"old"


# -- what is no file -------------------------------------------------------------------------------------


@POSIX
def test_a_device_stays_one(write, tmp_path, request):
    if "checkpoint" in request.node.callspec.id:
        pytest.skip("is refused")
    os.symlink(os.devnull, tmp_path / "link")
    write(str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@POSIX
def test_a_pipe_is_written_to(run, path, tmp_path):
    os.mkfifo(path)
    check_place(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    run.save(path)
    reader.join(60)
    (tmp_path / "copy.npz").write_bytes(got[0])
    assert fastgd.load_run(tmp_path / "copy.npz") == run
    assert stat.S_ISFIFO(os.stat(path).st_mode)


@POSIX
@pytest.mark.parametrize("resume", [False, True])
def test_a_checkpoint_is_a_regular_file(resume, path, no_compiled_code):
    """From a pipe there is no going on."""
    os.mkfifo(path)
    with pytest.raises(OSError, match="regular file"):
        fastgd.train(NET, X, Y, 3, checkpoint=path, resume=resume, **OPTIONS)


@pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="open files have no names")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "a link"])
def test_an_open_file_is_added_to(name, path, tmp_path):
    """As by `>> file`: what is in it stays."""
    if not os.path.exists(name):
        os.symlink("/dev/stdout", name := str(tmp_path / "link"))
    path.write_bytes(b"old ")
    program = "import sys; from fastgd.system.files import replace_file; replace_file(sys.argv[1], lambda file: file.write(b'new'))"
    with open(path, "ab") as file:
        subprocess.run([sys.executable, "-W", "error", "-c", program, name], stdout=file, check=True, timeout=60)
    assert path.read_bytes() == b"old new"


# -- errors after the work -------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch):
    """Have a call of `os` fail, of folders alone if so said, the first times or always."""

    def fail(name, number, of_folders=False, times=10**9):
        real, left = getattr(os, name), [times]

        def call(*arguments, **keywords):
            place = arguments[0]
            is_folder = stat.S_ISDIR(os.fstat(place).st_mode) if isinstance(place, int) else os.path.isdir(place)
            if is_folder == of_folders and left[0]:
                left[0] -= 1
                raise OSError(number, os.strerror(number))
            return real(*arguments, **keywords)

        monkeypatch.setattr(os, name, call)

    return fail


@POSIX
@pytest.mark.parametrize(("name", "number"), [("fsync", errno.EINVAL), ("fsync", errno.EIO), ("open", errno.EACCES)])
def test_a_folder_that_can_not_be_flushed(name, number, write, path, failing):
    """On FUSE and 9p; a folder that may be written and not read. The file is there, whole."""
    path.write_bytes(b"old")
    failing(name, number, of_folders=True)
    with pytest.warns(RuntimeWarning, match=f"run.npz' is written, but may not outlive.*{os.strerror(number)}") as warned:
        write(str(path))
    assert {Path(warning.filename) for warning in warned} == {Path(__file__)}  # no line of the package
    assert whole(path)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_flushes_nothing(number, write, path, failing):
    failing("fsync", number)
    with pytest.warns(RuntimeWarning, match=os.strerror(number)):
        write(str(path))
    assert whole(path)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails(number, path, failing):
    """What could not be flushed is not put in the place of what is whole."""
    path.write_bytes(b"old")
    failing("fsync", number)
    with pytest.raises(OSError, match=os.strerror(number)):
        replace_file(path, lambda file: file.write(b"new"), keep=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


@pytest.fixture
def waits(monkeypatch):
    """How often it was waited; no time passes."""
    waits = []
    monkeypatch.setattr(files.time, "sleep", waits.append)
    return waits


def test_a_file_that_is_read_for_a_moment(write, path, failing, waits):
    """As by a virus scanner on Windows."""
    path.write_bytes(b"old")
    failing("replace", errno.EACCES, times=3)
    write(str(path))
    assert whole(path)
    assert len(waits) == 3
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.ENOSPC])
@pytest.mark.parametrize("kind", ["run", "runs"])
def test_a_file_that_is_never_replaced(kind, number, path, failing, waits, request):
    """By a reader that does not end, or a file that is mounted by itself: what is new is whole, beside it, and the error says where."""
    kept = request.getfixturevalue(kind)
    path.write_bytes(b"old")
    failing("replace", number)
    with pytest.raises(OSError, match="what was to be there is kept") as caught:
        kept.save(path)
    assert type(caught.value) is type(OSError(number, ""))
    assert (caught.value.filename, caught.value.errno) == (str(path), number)
    assert caught.value.filename2 in str(caught.value)
    assert (fastgd.load_runs if isinstance(kept, Runs) else fastgd.load_run)(caught.value.filename2) == kept
    assert sorted(os.listdir(path.parent)) == sorted([path.name, Path(caught.value.filename2).name])
    assert path.read_bytes() == b"old"
    assert sum(waits) < 1
    sweep(path)
    assert len(os.listdir(path.parent)) == 2


@pytest.mark.parametrize("many", [False, True], ids=["train", "train_many"])
def test_the_last_checkpoint_is_kept(many, path, failing, waits, single_updates):
    """Those on the way are not, as others come after them: one warning at first, and one that says where."""
    failing("replace", errno.EACCES)
    train, load = (fastgd.train_many, fastgd.load_runs) if many else (fastgd.train, fastgd.load_run)
    options = {"rng": 5, "kernel": "matrix", "checkpoint": path, "checkpoint_every": 0} | ({"members": 2} if many else {})
    with pytest.warns(RuntimeWarning, match=r"run\.npz' was not written: Permission denied") as warned:
        trained = train(NET, X, Y, 20, **options)
    (kept,) = os.listdir(path.parent)
    assert str(warned[-1].message).endswith(f"what was to be there is kept in {path.parent / kept}")
    assert len(warned) <= 2
    assert load(path.parent / kept) == trained


@pytest.mark.parametrize("error", [MemoryError(), ValueError("bad"), OSError("gone")], ids=repr)
@pytest.mark.parametrize("many", [False, True], ids=["train", "train_many"])
def test_whatever_a_checkpoint_raises(many, error, path, monkeypatch):
    def fail(*arguments, **keywords):
        raise error

    monkeypatch.setattr(np, "savez", fail)
    train, options = (fastgd.train_many, {"members": 2}) if many else (fastgd.train, {})
    with pytest.warns(RuntimeWarning, match=f"was not written: {str(error) or 'MemoryError'}"):
        trained = train(NET, X, Y, 3, rng=5, kernel="matrix", checkpoint=path, **options)
    assert trained == train(NET, X, Y, 3, rng=5, kernel="matrix", **options)


def test_where_warnings_are_errors(path, run, failing, monkeypatch):
    """They still end nothing: they are lines on stderr."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    failing("fsync", errno.ENOSPC)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS) == run
    assert sys.stderr.getvalue() == f"RuntimeWarning: checkpoint {str(path)!r} was not written: No space left on device\n"


def test_files_of_shards_that_can_not_be_removed(tmp_path, monkeypatch):
    """As on Windows while another process reads them; nor the folder that joblib's shards look into."""
    import joblib

    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: os.lstat(self) and refuse())
    monkeypatch.setattr(os, "rmdir", lambda *arguments, **keywords: refuse())

    def refuse():
        raise PermissionError(errno.EACCES, "Permission denied")

    options = {"members": 2, "rng": 5, "kernel": "matrix"}
    with joblib.parallel_config(backend="sequential"), pytest.warns(RuntimeWarning, match=r"shard-.*can't be removed"):
        runs = fastgd.train_many(NET, X, Y, 3, client="joblib", checkpoint=tmp_path / "runs", **options)
    assert runs == fastgd.train_many(NET, X, Y, 3, **options) == fastgd.load_runs(tmp_path / "runs")
