"""What became of a tree since it was kept: all that must travel to a host which has the kept one."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.executors import edits, trees
from crossbuild.host import command
from crossbuild.host.survey import walk
from crossbuild.model.plan import RemoveStep

TICK = 50_000_000
"""Nanoseconds: several times what may lie between two readings of the clock that stamps files (time(7))."""


@dataclass(frozen=True)
class Glance:
    """A tree as it was at one moment."""

    moment: int
    """Nanoseconds since the epoch."""
    entries: Mapping[bytes, tuple[int, int, int]]
    """Kind, inode, and time of its last change (inode(7)) of each path: whatever happens alters one."""


NOTHING = Glance(0, {})
"""A tree in which nothing lies."""


@dataclass(frozen=True)
class Changes:
    """The way from one tree to another; paths are absolute inside the tree."""

    removed: tuple[str, ...]
    """What is gone, or was made anew."""
    present: tuple[bytes, ...]
    """What is new or altered, with all folders above it."""


def glance(root: Path) -> Glance:
    """Look at the tree in *root*."""
    moment = time.time_ns()
    return Glance(moment, {entry.path: _identity(entry.status) for entry in walk(root)})


def changes_since(former: Glance, root: Path) -> Changes:
    """Return what happened to the tree in *root* since *former*."""
    now = glance(root)
    # What was written just before the glance may have been written again under the same time.
    settled = former.moment - TICK
    present = {
        path
        for path, identity in now.entries.items()
        if former.entries.get(path) != identity or identity[-1] > settled
    }
    removed = (
        os.fsdecode(path)
        for path, (kind, inode, _) in former.entries.items()
        if now.entries.get(path, ())[:2] != (kind, inode)
    )
    return Changes(removed=tuple(sorted(removed)), present=tuple(sorted(_with_parents(present))))


def apply(removed: Sequence[str], archive: Path, root: Path, scratch: Path) -> None:
    """Let the tree in *root* become what *archive*, packed of `Changes.present`, says; *scratch* is new.

    Neither links in the tree nor names in the archive lead out of it, whoever sent them.
    Raises StorageError or CommandFailedError.
    """
    for path in removed:
        edits.apply(RemoveStep(path=path, reason="the other tree does not have it"), root)
    scratch.mkdir()
    trees.unpack(archive, scratch)
    # tar would follow links of the tree; cp refuses to put a folder where it finds one.
    onto = ["--no-target-directory", "--remove-destination", os.fspath(scratch), os.fspath(root)]
    command.capture(["cp", "--archive", *onto])


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    # A new file may well get the inode of one that was just removed.
    return stat.S_IFMT(status.st_mode), status.st_ino, status.st_ctime_ns


def _with_parents(paths: set[bytes]) -> set[bytes]:
    """Return *paths* and all folders above them, the root in any case: a copy sets their times anew."""
    found = {b"/", *paths}
    for path in paths:
        while (path := path.rpartition(b"/")[0] or b"/") not in found:
            found.add(path)
    return found
