"""The folder that compiled kernels are kept in: the user's own. Its code is run, so nobody else may
write to it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from contextlib import suppress
from itertools import chain
from pathlib import Path

import platformdirs

from fastgd.machine import kernel_file

_OF_USERS = ("jitted_*.py", "__pycache__/jitted_*.nb?")  # see `jitted_module`
_FILE_NAME = re.compile(
    r"(function|matrix|unrolled|lanes|update|perturbation)_\w+_[0-9a-f]{20}\.kernel"
)


def folder() -> Path:
    """The cache folder: FASTGD_CACHE_DIR, or the platform's own place; an error of any kind if
    none.

    Its code is run, so it never lies where the working directory happens to be.
    """
    chosen = os.environ.get("FASTGD_CACHE_DIR")
    place = Path(chosen or platformdirs.user_cache_path("fastgd"))
    # an XDG_CACHE_HOME that counts for nothing, or no HOME
    if not chosen and not place.is_absolute():
        place = Path("~/.cache/fastgd")
    place = place.expanduser()
    if not place.is_absolute():
        raise ValueError(f"{str(place)!r} is no absolute path")
    return place.resolve()


def known_folder() -> Path | None:
    """The cache folder; None where there is none."""
    try:
        return folder()
    except Exception:
        return None


def made() -> Path:
    """The cache folder, made if it is not there; OSError where it is not this user's alone."""
    place = folder()
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return checked(place)


def checked(place: Path) -> Path:
    """A folder to load code from; OSError where it is not there, or not this user's alone."""
    if hasattr(os, "getuid"):  # on Windows, profile folders are private by their access lists
        status = place.lstat()
        if status.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(errno.EPERM, "others may write to it")
    return place


def trouble() -> str | None:
    """Why nothing can be kept in the cache folder; None if something can."""
    try:
        with tempfile.TemporaryFile(dir=made()):
            return None
    except Exception as error:
        return reason_of(error)


def reason_of(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split()).rstrip(".")


def entries() -> list[tuple[str, int, str]]:
    """What the cache folder holds: for every kernel its name, its bytes and what it is."""
    found = []
    for path in _files():
        try:
            title = kernel_file.read(path.read_bytes())[0]["title"]
        except Exception:
            title = "damaged"
        with suppress(OSError):  # another process may have cleared the folder
            found.append((path.stem, path.stat().st_size, title))
    return found


def clear() -> int:
    """Delete all, what was written for users' own code too; how many kernels there were."""
    files, place = _files(), known_folder()
    others = [place.glob(pattern) for pattern in _OF_USERS] if place else []
    for file in chain(files, *others):
        file.unlink(missing_ok=True)
    return len(files)


def _files() -> list[Path]:
    """The kernels, and nothing else that may lie in the folder."""
    place = known_folder()
    found = place.glob("*.kernel") if place else ()
    return sorted(path for path in found if _FILE_NAME.fullmatch(path.name))
