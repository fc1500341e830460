"""One lock for each root, cache entry and output; the kernel frees it when its process ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

NoticeSink = Callable[[str], None]


@contextlib.contextmanager
def locked(path: Path, what: str, notice: NoticeSink) -> Iterator[None]:
    """Hold the lock of *path*; if another process has it, say so once through *notice*, then wait.

    The lock is a file beside *path* (flock(2)), so that *path* itself may be replaced while it is held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        notice(f"Another crossbuild process is using {what} ({path}); waiting for it to finish.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
