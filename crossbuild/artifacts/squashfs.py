"""A tree as a squashfs image, made by mksquashfs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from crossbuild.artifacts.job import PROGRESS_STEP
from crossbuild.artifacts.storage import disk_full, storing
from crossbuild.errors import CommandFailedError
from crossbuild.host.command import environment, stream

_FILE = re.compile(r", uncompressed size (\d+) bytes")
"""In a line of `mksquashfs -info`: one for each file that was written."""


def write_squashfs(
    root: Path, target: Path, *, compression: str, epoch: int, on_bytes: Callable[[int], None]
) -> None:
    """Write *root* as *target*; *on_bytes* gets how many bytes of files are done.

    Owners, access control lists and extended attributes are kept. Raises CommandFailedError, StorageError.
    """
    done = told = 0

    def count(line: str) -> None:
        nonlocal done, told
        if found := _FILE.search(line):
            done += int(found[1])
            if done - told >= PROGRESS_STEP:
                told = done
                on_bytes(done)

    with storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    # mksquashfs refuses this variable beside -mkfs-time, which says the same.
    env = {name: value for name, value in environment().items() if name != "SOURCE_DATE_EPOCH"}
    try:
        stream(squashfs_command(root, target, compression, epoch), env=env, on_line=count)
    except CommandFailedError as error:
        if "No space left" in error.details:
            raise disk_full(target, error.details) from error
        raise


def squashfs_command(root: Path, target: Path, compression: str, epoch: int) -> Sequence[str]:
    """Return the command that packs *root* the same way each time."""
    return [
        "mksquashfs",
        os.fspath(root),
        os.fspath(target),
        "-noappend",
        "-comp", compression,
        "-mkfs-time", str(epoch),
        "-reproducible",
        "-xattrs",
        "-info",  # one line for each file, which is how far it is
        "-no-progress",
    ]  # fmt: skip
