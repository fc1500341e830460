"""An aarch64 root file system on local disk, and what its package database lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class Root:
    """A root file system below *path*, made for *arch*."""

    path: Path
    arch: Architecture


@dataclass(frozen=True, kw_only=True, order=True)
class Package:
    """An installed package, as the root's own package database records it."""

    name: str
    version: str
    arch: str
    """As the package manager spells it: `arm64`, `aarch64`, `all`, `noarch`."""
    kind: str
    """The package URL type: `deb` or `rpm`."""
    installed_size: int = 0
    """Bytes, as the package declares."""
    source: str = ""
    """Name of the source package, empty when it equals *name*."""
