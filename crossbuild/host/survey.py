"""One walk through a root: what lies in it, and what of that not every archive format can carry."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.errors import StorageError
from crossbuild.model.artifact import FileCapability
from crossbuild.model.survey import TreeSurvey

CAPABILITY = "security.capability"
"""The extended attribute that holds a file's capabilities (capabilities(7))."""
LABELS = frozenset({"security.selinux"})
"""Attributes that this host's policy gives to every file it makes; they say nothing about the image."""
NEWC_LIMIT = 1 << 32
"""Bytes; a newc header has 8 hexadecimal digits for a size (cpio(5))."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree; bytes, so that names that are not UTF-8 survive."""

    path: bytes
    """Absolute, as a process inside the root names it."""
    real: bytes
    """Where it lies on this host."""
    status: os.stat_result
    """Of the entry itself, links not followed."""

    @property
    def name(self) -> PurePosixPath:
        """*path*, decoded as `os.fsdecode` does."""
        return PurePosixPath(os.fsdecode(self.path))


def walk(root: Path) -> Iterator[Entry]:
    """Yield the root itself and everything below it, names of a folder sorted, without crossing a mount.

    Raises StorageError for what cannot be read.
    """
    try:
        top = Entry(b"/", os.fsencode(root), root.stat())
        yield top
        yield from _below(top)
    except OSError as error:
        raise StorageError(
            f"The tree {root} cannot be read.",
            details=str(error),
            resolution="Check that the folder exists, that you may read all of it (roots belong to root), "
            "and that nothing else is changing it.",
        ) from error


def survey(root: Path) -> TreeSurvey:
    """Walk through *root* once and return what is in it; raise StorageError for what cannot be read."""
    entries = list(walk(root))
    kinds = Counter(stat.S_IFMT(entry.status.st_mode) for entry in entries)
    capabilities, attributes = _attributes(root, entries)
    return TreeSurvey(
        files=kinds[stat.S_IFREG],
        directories=kinds[stat.S_IFDIR],
        links=kinds[stat.S_IFLNK],
        size=_size(entries),
        capabilities=capabilities,
        attributes=attributes,
        oversized=_paths(entry for entry in entries if _is_oversized(entry)),
        devices=_paths(entry for entry in entries if _is_device(entry.status.st_mode)),
        sockets=_paths(entry for entry in entries if stat.S_ISSOCK(entry.status.st_mode)),
        odd_names=_paths(entry for entry in entries if _is_odd(entry.path)),
    )


def _below(top: Entry) -> Iterator[Entry]:
    # A stack of its own instead of recursion: a tree may be deeper than Python's call stack.
    pending = _children(top)
    while pending:
        entry = pending.pop()
        yield entry
        if stat.S_ISDIR(entry.status.st_mode) and entry.status.st_dev == top.status.st_dev:
            pending.extend(_children(entry))


def _children(folder: Entry) -> list[Entry]:
    """Return the entries of *folder*, the last name first."""
    with os.scandir(folder.real) as listing:
        children = sorted(listing, key=lambda child: child.name, reverse=True)
    prefix = folder.path.rstrip(b"/") + b"/"
    return [Entry(prefix + child.name, child.path, child.stat(follow_symlinks=False)) for child in children]


def _attributes(
    root: Path, entries: list[Entry]
) -> tuple[tuple[FileCapability, ...], tuple[PurePosixPath, ...]]:
    capabilities, others = [], []
    try:
        for entry in entries:
            names = set(os.listxattr(entry.real, follow_symlinks=False)) - LABELS
            if CAPABILITY in names:
                value = os.getxattr(entry.real, CAPABILITY, follow_symlinks=False)
                capabilities.append(FileCapability(path=entry.name, value=value))
            if names - {CAPABILITY}:
                others.append(entry)
    except OSError as error:
        raise StorageError(
            f"The extended attributes of {root} cannot be read.",
            details=str(error),
            resolution="Keep roots on a local file system such as ext4 or xfs; NFS carries no capabilities.",
        ) from error
    return tuple(sorted(capabilities, key=lambda capability: capability.path)), _paths(others)


def _size(entries: list[Entry]) -> int:
    files = {
        (entry.status.st_dev, entry.status.st_ino): entry.status.st_size
        for entry in entries
        if stat.S_ISREG(entry.status.st_mode)
    }
    return sum(files.values())


def _paths(entries: Iterable[Entry]) -> tuple[PurePosixPath, ...]:
    return tuple(sorted(entry.name for entry in entries))


def _is_oversized(entry: Entry) -> bool:
    return stat.S_ISREG(entry.status.st_mode) and entry.status.st_size >= NEWC_LIMIT


def _is_device(mode: int) -> bool:
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def _is_odd(path: bytes) -> bool:
    name = path.rpartition(b"/")[2]
    try:
        return "\n" in name.decode()
    except UnicodeDecodeError:
        return True
