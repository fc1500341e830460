"""Locks that the kernel frees when their process ends, whatever ends it (flock(2))."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

NoticeSink = Callable[[str], None]


@contextlib.contextmanager
def locked(path: Path, what: str, notice: NoticeSink, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of *path*, with others if *shared*; where one must wait, say so once through *notice*.

    The lock is a file beside *path*, so that *path* itself may be replaced while it is held.
    """
    told = f"Another crossbuild process is using {what} ({path}); waiting for it to finish."
    with held(lock_of(path), shared=shared, waiting=lambda: notice(told)):
        yield


def lock_of(path: Path) -> Path:
    """Return the file that `locked` holds for *path*."""
    return path.with_name(f".{path.name}.lock")


@contextlib.contextmanager
def held(path: Path, *, shared: bool = False, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock *path*, with others if *shared*; call *waiting* once if another process has it.

    Processes that the block starts without exec(2) hold it, too, for as long as they live.
    """
    descriptor = _open(path)
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        if not _take(descriptor, mode):
            if waiting:
                waiting()
            fcntl.flock(descriptor, mode)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock *path* alone, and say whether that was possible at once."""
    descriptor = _open(path)
    try:
        yield _take(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether any process holds the lock *path*."""
    with held_if_free(path) as free:
        return not free


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
