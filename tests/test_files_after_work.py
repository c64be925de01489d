"""Errors after the work is done lose nothing: what is whole stays, in its place or beside it, and is said to be there."""

import errno
import io
import os
import stat
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from file_writers import EACH_WRITER, OPTIONS, a_run, some_runs, whole
from small_problem import NET, X, Y

import fastgd
from fastgd.ensemble.runs import Runs
from fastgd.system import files
from fastgd.system.files import replace_file, sweep


@pytest.fixture
def failing(monkeypatch):
    """Have a call of `os` fail, of folders alone if so said, the first times or always. What is compiled has been kept before."""
    a_run(), some_runs()

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


@EACH_WRITER
@pytest.mark.skipif(os.name == "nt", reason="folders are not flushed")
@pytest.mark.parametrize(("name", "number"), [("fsync", errno.EINVAL), ("fsync", errno.EIO), ("open", errno.EACCES)])
def test_a_folder_that_can_not_be_flushed(name, number, write, path, failing):
    """On FUSE and 9p; a folder that may be written and not read. The file is there, whole."""
    path.write_bytes(b"old")
    failing(name, number, of_folders=True)
    with pytest.warns(RuntimeWarning, match=f"run.npz' is written, but may not outlive.*{os.strerror(number)}") as warned:
        write(str(path))
    assert {Path(warning.filename).parent for warning in warned} == {Path(__file__).parent}  # no line of the package
    assert whole(path)
    assert os.listdir(path.parent) == [path.name]


@EACH_WRITER
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


@EACH_WRITER
def test_a_file_that_is_read_for_a_moment(write, path, failing, waits):
    """As by a virus scanner on Windows."""
    path.write_bytes(b"old")
    failing("replace", errno.EACCES, times=3)
    write(str(path))
    assert whole(path)
    assert len(waits) == 3
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EBUSY, errno.ENOSPC])
@pytest.mark.parametrize("of", [a_run, some_runs])
def test_a_file_that_is_never_replaced(of, number, path, failing, waits):
    """By a reader that does not end, or a file that is mounted by itself: what is new is whole, beside it, and the error says where."""
    kept = of()
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


def test_where_warnings_are_errors(path, failing, monkeypatch):
    """They still end nothing: they are lines on stderr."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    failing("fsync", errno.ENOSPC)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fastgd.train(NET, X, Y, 3, checkpoint=path, **OPTIONS) == a_run()
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
