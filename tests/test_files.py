"""Whatever writes a file replaces it whole, where its name leads to, and leaves it open to whom it was."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading
from functools import partial

import pytest
from file_writers import EACH_WRITER, OPTIONS, a_run, whole
from small_problem import NET, X, Y

import fastgd
from fastgd.machine import kernel_file
from fastgd.system import files
from fastgd.system.files import check_place, replace_file

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and devices")


@pytest.fixture
def umask():
    """A function that sets it for the time of a test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# -- links, modes, owners --------------------------------------------------------------------------------


@EACH_WRITER
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


@EACH_WRITER
@POSIX
@pytest.mark.parametrize("mode", [0o664, 0o640, 0o600, 0o666])
def test_the_mode_stays(mode, write, path, umask):
    path.write_bytes(b"old")
    path.chmod(mode)
    umask(0o077)
    write(str(path))
    assert mode_of(path) == mode
    assert whole(path)


@EACH_WRITER
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
        kernel_file.write(path, {}, b"code", mode=0o600)
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


@EACH_WRITER
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


def test_a_file_that_becomes_read_only(read_only, monkeypatch):
    """What was trained meanwhile is kept beside it."""
    monkeypatch.setattr(files, "_WAITS", ())
    with pytest.raises(PermissionError, match="kept") as caught:
        a_run().save(read_only)
    assert fastgd.load_run(caught.value.filename2) == a_run()
    assert read_only.read_bytes() == b"old"


# -- what is no file -------------------------------------------------------------------------------------


@EACH_WRITER
@POSIX
def test_a_device_stays_one(write, tmp_path, request):
    if "checkpoint" in request.node.callspec.id:
        pytest.skip("is refused")
    os.symlink(os.devnull, tmp_path / "link")
    write(str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@POSIX
def test_a_pipe_is_written_to(path, tmp_path):
    run = a_run()
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


@pytest.mark.parametrize("place", [partial(check_place, size=9), partial(replace_file, write=lambda file: file.write(b"new"))])
def test_a_full_disk_names_the_file(place, path, monkeypatch):
    """Which the error of a write does not."""

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "open", lambda *_, **__: Full(), raising=False)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        place(path)
    assert caught.value.filename == str(path)


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
