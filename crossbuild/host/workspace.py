"""Scratch folders that a killed process leaves behind, and the next one removes."""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from crossbuild.errors import StorageError
from crossbuild.host.locks import held, held_if_free

LOCK = ".lock"

_GETFLAGS, _SETFLAGS = 0x80086601, 0x40086602
"""FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (linux/fs.h) on machines of 64 bits; the flags themselves have 32."""
_TOPDIR = 0x00020000
"""FS_TOPDIR_FL (linux/fs.h): what is in this folder has nothing to do with what is beside it."""


@contextlib.contextmanager
def workspace(parent: Path, name: str, *, private: bool = False) -> Iterator[Path]:
    """Yield a new folder below *parent* and remove it afterwards, after removing what nobody owns any more.

    A *private* one can be entered by its owner only.
    A folder is owned as long as the process that made it lives: the kernel frees its lock (flock(2)).
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"Cannot make scratch space in {parent}.",
            details=str(error),
            resolution="Run as root, or set `state` in the configuration file to a folder of yours.",
        ) from error
    scatter(parent)
    with contextlib.ExitStack() as owned:
        with held(parent / ".sweep.lock"):
            _sweep(parent)
            folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=parent))
            owned.enter_context(held(folder / LOCK))
        try:
            if not private:
                # apt drops its rights to download and must reach its folders all the same.
                folder.chmod(0o755)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def scatter(parent: Path) -> None:
    """Have the file system lay the folders in *parent* far from each other, where it can.

    Without a journal, ext4 keeps the inode of a deleted file back for minutes, and looks at each of those for
    every file that is made near it (`recently_deleted` in fs/ext4/ialloc.c). A build in the place of the last
    one spends half of its time there: 12,000 files took 7 seconds, and take 0.3 so.
    """
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    flags = array.array("i", [0])
    # Other file systems do not know the flag, and another user's folder stays as it is.
    with contextlib.suppress(OSError):
        fcntl.ioctl(descriptor, _GETFLAGS, flags)
        if not flags[0] & _TOPDIR:
            flags[0] |= _TOPDIR
            fcntl.ioctl(descriptor, _SETFLAGS, flags)
    os.close(descriptor)


def keep_newest(folder: Path, count: int) -> None:
    """Remove all but *count* of the folders in *folder*, those that were used (utime(2)) longest ago."""
    for path in surplus((path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."), count):
        shutil.rmtree(path, ignore_errors=True)


def surplus(paths: Iterable[Path], count: int) -> list[Path]:
    """Return all of *paths* but the *count* that were used (utime(2)) last; what goes meanwhile is none."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)[count:]]


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            with held_if_free(folder / LOCK) as free:
                if free:
                    shutil.rmtree(folder, ignore_errors=True)
