"""Files are replaced whole or not at all, where their names lead to, and keep their modes."""

from __future__ import annotations

import errno
import glob
import io
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from fastgd.system.warn import say

# seconds: Windows replaces no file that another process reads
_WAITS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
# what file systems say that have no flushing
_CAN_NOT_FLUSH = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
_OPEN_FILES = "/dev/fd"  # where the open files of this process have names


def replace_file(
    path: str | os.PathLike[str],
    write: Callable[[IO[bytes]], object],
    *,
    mode: int | None = None,
    keep: bool = False,
    flush: bool = True,
) -> None:
    """At any instant the file at `path` is the old one or the new one, which `write` fills, whole.

    Symbolic links are followed, be it to where no file is yet. The new file has owner, group and
    mode of the old one as far as this process may give them; where none was, what umask leaves; or
    the `mode` that is asked for. Hard links part: other names of the old file keep the old one. A
    device, a pipe or an open file, such as /dev/stdout, is written to and not replaced. Without
    `flush` nobody waits for the disk, and a power cut may leave less than the whole.

    Raises
    ------
    TypeError
        If `path` is none.
    OSError
        If it can't be written; the old file is as it was. Where the new one is whole and the old
        one can't be replaced, `keep` leaves the new one beside it, as `filename2` of the error.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):  # numbers are open files of somebody else
        raise TypeError(f"path must be a path; got {path!r}")
    target, old = _leads_to(path)
    if old is not None and not _is_replaced(path, old):
        try:
            _pour(path, write)
        except OSError as error:
            _name(error, path)
            raise
        return
    temporary = _temporary(target)
    opener = None if mode is None and old is None else _private
    try:
        with open(temporary, "xb", opener=opener) as file:
            write(file)
            _dress(temporary, old, mode)
            file.flush()
            trouble = _flush(file.fileno()) if flush else None
        _put(temporary, target, keep)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            _name(error, path)
        raise
    if flush:
        trouble = _flush_folder(target.parent) or trouble
    if trouble is not None:
        why = f"the disk does not confirm it: {reason_of(trouble)}"
        say(f"{os.fspath(path)!r} is written, but may not outlive a power cut; {why}")


def as_text(write: Callable[[IO[str]], object]) -> Callable[[IO[bytes]], None]:
    """What fills a binary file as `write` fills one of text, in UTF-8 and lines as they are."""

    def fill(binary: IO[bytes]) -> None:
        file = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        write(file)
        file.detach()

    return fill


def check_place(path: str | os.PathLike[str], size: int = 0) -> None:
    """OSError where `replace_file` could not write `size` bytes; nothing is left there."""
    target, old = _leads_to(path)
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a file must be named; this is a folder", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    if old is not None and not _is_replaced(path, old):
        return
    temporary = _temporary(target)
    try:
        with open(temporary, "xb") as file:
            file.write(bytes(size))
    except OSError as error:
        _name(error, path)
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _check_permission(target)


def sweep(path: str | os.PathLike[str]) -> None:
    """Remove what processes that were killed while they wrote `path` left behind."""
    target, _ = _leads_to(path)
    start = f".{_short(target)}."
    for temporary in target.parent.glob(f"{glob.escape(start)}*-*.tmp"):
        process = temporary.name.removeprefix(start).partition("-")[0]
        if process.isdecimal() and (int(process) == os.getpid() or not _is_alive(int(process))):
            with suppress(OSError):  # it may be another user's
                temporary.unlink()


def reason_of(error: Exception) -> str:
    """What an error says, in one line, and where what was written is kept."""
    if not isinstance(error, OSError) or not error.strerror:
        return " ".join(str(error).split()) or type(error).__name__
    return error.strerror if error.filename2 is None else f"{error.strerror} in {error.filename2}"


def _name(error: OSError, path: str | os.PathLike[str]) -> None:
    """Let the error name the file as the caller knows it; a full disk names none."""
    if error.errno is not None:
        error.filename = os.fspath(path)


# -- where a name leads to -------------------------------------------------------------------------


def _leads_to(path: str | os.PathLike[str]) -> tuple[Path, os.stat_result | None]:
    """The path behind all links, and what is there; OSError where links go round in a circle."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    return Path(os.path.realpath(path) if os.path.islink(path) else path), status


def _is_replaced(path: str | os.PathLike[str], old: os.stat_result) -> bool:
    """Whether what is there is a file that has a name of its own."""
    return stat.S_ISREG(old.st_mode) and _open_file(os.fspath(path)) is None


def _open_file(path: str) -> int | None:
    """The number of the open file that a name like /dev/stdout stands for, if it does."""
    while True:
        folder, name = os.path.realpath(os.path.dirname(path)), os.path.basename(path)
        if name.isdecimal() and folder == os.path.realpath(_OPEN_FILES):
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))


def _pour(path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]) -> None:
    """Write to what is no file, or is open already."""
    whole = io.BytesIO()  # a pipe can't go back, as writers of archives do
    write(whole)
    number = _open_file(os.fspath(path))
    with open(path if number is None else os.dup(number), "wb") as file:
        file.write(whole.getbuffer())


# -- the steps of a replacement --------------------------------------------------------------------


def _short(target: Path) -> str:
    """So much of a name that there is room for more."""
    return target.name[:48]


def _temporary(target: Path) -> Path:
    """A new name beside a file, which `sweep` knows."""
    return target.with_name(f".{_short(target)}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _dress(temporary: Path, old: os.stat_result | None, mode: int | None) -> None:
    """Give owner, group and mode, as far as this process and the file system can."""
    if old is not None and hasattr(os, "chown"):
        for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
            with suppress(OSError):
                os.chown(temporary, owner, group)
        if mode is None:
            # the rights of one group are not meant for another
            foreign = os.stat(temporary).st_gid != old.st_gid
            mode = stat.S_IMODE(old.st_mode) & ~(stat.S_IRWXG if foreign else 0)
    if mode is not None:
        with suppress(OSError):
            os.chmod(temporary, mode)


def _flush(descriptor: int) -> OSError | None:
    """Flush to the disk; the error of a file system that has no such thing, as all is written."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CAN_NOT_FLUSH:
            raise
        return error
    return None


def _put(temporary: Path, target: Path, keep: bool) -> None:
    """Put the new file in the place of the old one, maybe once another process is done with it."""
    for seconds in (*_WAITS, None):
        try:
            _check_permission(target)
            os.replace(temporary, target)
            return
        except OSError as error:
            if isinstance(error, PermissionError) and seconds is not None:
                time.sleep(seconds)
                continue
            error.strerror = error.strerror or str(error)
            error.filename, error.filename2 = str(target), None
            if keep:
                _keep(temporary, target, error)
            raise


def _check_permission(target: Path) -> None:
    """PermissionError where a file is there that may not be written."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))


def _keep(temporary: Path, target: Path, error: OSError) -> None:
    """Give what could not be put in its place a name, and the error words that say so."""
    kept = target.with_name(f"{_short(target)}.{secrets.token_hex(4)}.kept")
    with suppress(OSError):
        os.rename(temporary, kept)
        error.strerror = f"{error.strerror}; what was to be there is kept"
        error.filename2 = str(kept)


def _flush_folder(folder: Path) -> OSError | None:
    """Make a new name last through a power cut, where the platform can; what is in the way."""
    if not hasattr(os, "O_DIRECTORY"):
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error
    return None


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where a process can't be asked without ending it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
