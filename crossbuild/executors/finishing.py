"""What every root goes through when it is complete: traces of the build removed, times made reproducible."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection
from pathlib import Path

from crossbuild.host import rooted
from crossbuild.host.survey import walk
from crossbuild.model.residue import ResidueAction, residue_at

SECOND = 1_000_000_000
"""In nanoseconds."""
DAY = 86_400
"""In seconds."""
MADE = 1_000_000_000
"""Seconds: the time, in 2001, of what a build made, as long as the tree is kept. An image may be finished
long after the build which made it, and has an epoch of its own."""
ACCOUNTS = ("/etc/shadow", "/etc/shadow-")
CHANGED = re.compile(rb"^([^:\n]*:[^:\n]*:)(\d+)(?=:)", re.MULTILINE)
"""The day since 1970 of an account's last change (shadow(5)), which those that packages make have."""
OF_ROOT = ("/var/cache/apt/archives/partial", "/var/lib/apt/lists/partial")
"""Folders that apt gives to the user that it downloads as, but only where that one could reach the root: in a
build on this host it can, in a job on a node it cannot. apt does it again when it runs in the image."""


def clean(root: Path, keep: Collection[str]) -> None:
    """Remove or empty what belongs to the build or must differ between nodes, but for the paths in *keep*."""
    for entry in list(walk(root)):
        path = os.fsdecode(entry.path)
        if path in OF_ROOT and entry.status.st_uid:
            os.chown(entry.real, 0, 0, follow_symlinks=False)
        residue = residue_at(path) if stat.S_ISREG(entry.status.st_mode) else None
        if residue is None or path in keep:
            continue
        match residue.action:
            case ResidueAction.REMOVE:
                os.unlink(entry.real)  # noqa: PTH108 -- bytes, for names that are not UTF-8
            case ResidueAction.TRUNCATE:
                os.truncate(entry.real, 0)
                if residue.mode is not None:
                    os.chmod(entry.real, residue.mode)  # noqa: PTH101 -- bytes, too


def mark_made(root: Path, epoch: int) -> None:
    """Give times of files after *epoch* (seconds), and days of accounts from then on, the value MADE."""
    _change_days(root, lambda day: MADE // DAY if day >= epoch // DAY else day)
    _change_times(root, lambda time: MADE if time > epoch else time)


def clamp_times(root: Path, epoch: int) -> None:
    """Set times of files and days of accounts after *epoch* (seconds), and MADE, to it; others stay."""
    _change_days(root, lambda day: epoch // DAY if day == MADE // DAY else min(day, epoch // DAY))
    _change_times(root, lambda time: epoch if time == MADE else min(time, epoch))


def _change_times(root: Path, change: Callable[[int], int]) -> None:
    for entry in list(walk(root)):
        # Whole seconds: newc archives and squashfs hold no fractions, and all formats are to agree.
        time = entry.status.st_mtime_ns
        whole = change(time // SECOND) * SECOND
        if whole != time:
            os.utime(entry.real, ns=(whole, whole), follow_symlinks=False)


def _change_days(root: Path, change: Callable[[int], int]) -> None:
    for name in ACCOUNTS:
        table = rooted.resolve(root, name)
        before = table.read_bytes() if table.is_file() else b""
        after = CHANGED.sub(lambda found: b"%b%d" % (found[1], change(int(found[2]))), before)
        if after != before:
            table.write_bytes(after)
