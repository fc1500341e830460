"""Scratch folders that a killed process leaves behind, and the next one removes."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crossbuild.errors import StorageError
from crossbuild.host.locks import held, held_if_free

LOCK = ".lock"


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


def keep_newest(folder: Path, count: int) -> None:
    """Remove all but *count* of the folders in *folder*, those that were used (utime(2)) longest ago."""
    found = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[count:]:
        shutil.rmtree(path, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            with held_if_free(folder / LOCK) as free:
                if free:
                    shutil.rmtree(folder, ignore_errors=True)
