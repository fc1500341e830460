"""What lies in a root that not every archive format can carry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from crossbuild.model.artifact import FileCapability


@dataclass(frozen=True, kw_only=True)
class TreeSurvey:
    """Counts and peculiarities of one root; every path is absolute inside it, in sorted order."""

    files: int
    directories: int
    links: int
    size: int
    """Bytes of all regular files, each hard link counted once."""
    capabilities: tuple[FileCapability, ...]
    attributes: tuple[PurePosixPath, ...]
    """Entries with ACLs or extended attributes other than file capabilities."""
    oversized: tuple[PurePosixPath, ...]
    """Files of 4 GiB and more, which cpio's newc format cannot hold."""
    devices: tuple[PurePosixPath, ...]
    sockets: tuple[PurePosixPath, ...]
    odd_names: tuple[PurePosixPath, ...]
    """Names with a newline or bytes that are not UTF-8."""
