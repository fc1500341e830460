"""A folder appears at its place whole, in one rename, or not at all."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from crossbuild.errors import StorageError

AT_FDCWD = -100
RENAME_EXCHANGE = 2


def publish(folder: Path, target: Path) -> None:
    """Put *folder*, on the same file system, in the place of *target*; what was there goes afterwards.

    At every moment *target* is the old or the new folder, complete. Raises StorageError.
    """
    try:
        if target.exists():
            _exchange(folder, target)
            shutil.rmtree(folder)
        else:
            folder.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise StorageError(f"Cannot put the result at {target}.", details=str(error)) from error


def _exchange(one: Path, other: Path) -> None:
    """Swap two paths in one step (renameat2(2), Linux 3.15)."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fspath(other))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
