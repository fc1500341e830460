"""Two trees, compared entry by entry: all that an archive or a node could tell apart."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from crossbuild.host.survey import LABELS, Entry, walk

KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that is compared of one entry."""

    kind: str
    mode: str
    owner: tuple[int, int]
    """User and group."""
    time: int
    """Of the last modification, in nanoseconds."""
    content: str
    """Digest of a file, target of a link, numbers of a device, empty for others."""
    names: tuple[str, ...]
    """Every name of this file in the tree, where it has more than one."""
    attributes: tuple[tuple[str, bytes], ...]
    """Extended ones, ACLs and capabilities among them, but for labels that the host's policy gives."""


def read_tree(root: Path) -> dict[str, Found]:
    """Return what lies below *root* by its path, absolute inside it; *root* itself is `/`."""
    entries = list(walk(root))
    names = _names_by_file(entries)
    return {_path(entry): found_at(entry, names[_file(entry)]) for entry in entries}


def found_at(entry: Entry, names: Iterable[str]) -> Found:
    """Return what is compared of *entry*, a file whose names in the tree are *names*."""
    status = entry.status
    together = tuple(sorted(names))
    return Found(
        kind=KINDS[stat.S_IFMT(status.st_mode)],
        mode=f"{stat.S_IMODE(status.st_mode):04o}",
        owner=(status.st_uid, status.st_gid),
        time=status.st_mtime_ns,
        content=_content(entry),
        names=together if len(together) > 1 else (),
        attributes=_attributes(entry.real),
    )


def differences(one: Mapping[str, Found], other: Mapping[str, Found]) -> dict[str, tuple[str, ...]]:
    """Return each path that is not the same in both trees, with the names of what differs.

    Of a path that only one of them has, `missing in the other` or `missing in the one`.
    """
    found = {path: _differing(one.get(path), other.get(path)) for path in sorted({*one, *other})}
    return {path: aspects for path, aspects in found.items() if aspects}


def _differing(one: Found | None, other: Found | None) -> tuple[str, ...]:
    if one is None or other is None:
        return ("missing in the one" if one is None else "missing in the other",)
    return tuple(
        field.name for field in fields(Found) if getattr(one, field.name) != getattr(other, field.name)
    )


def _content(entry: Entry) -> str:
    mode, place = entry.status.st_mode, Path(os.fsdecode(entry.real))
    if stat.S_ISREG(mode):
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if stat.S_ISLNK(mode):
        return str(place.readlink())
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return f"{os.major(entry.status.st_rdev)}:{os.minor(entry.status.st_rdev)}"
    return ""


def _attributes(real: bytes) -> tuple[tuple[str, bytes], ...]:
    names = sorted(set(os.listxattr(real, follow_symlinks=False)) - LABELS)
    return tuple((name, os.getxattr(real, name, follow_symlinks=False)) for name in names)


def _names_by_file(entries: Iterable[Entry]) -> dict[tuple[int, int], list[str]]:
    names = defaultdict(list)
    for entry in entries:
        names[_file(entry)].append(_path(entry))
    return names


def _file(entry: Entry) -> tuple[int, int]:
    return entry.status.st_dev, entry.status.st_ino


def _path(entry: Entry) -> str:
    return os.fsdecode(entry.path)
