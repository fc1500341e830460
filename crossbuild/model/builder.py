"""Builders: persistent arm64 userlands, opened by `crossbuild shell` and fed by `crossbuild run`."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from crossbuild.model.architecture import Architecture

PUB_INSIDE, ROOTS_INSIDE = PurePosixPath("/opt/ohpc/pub"), PurePosixPath("/var/chroots")
"""Where every builder shows the exported tree, and where roots lie."""


class EngineKind(enum.StrEnum):
    """What keeps a builder's tree and runs commands in it."""

    DOCKER = "docker"
    PODMAN = "podman"
    SANDBOX = "sandbox"
    """crossbuild itself, without any daemon."""


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """The engine of a new builder."""

    kind: EngineKind
    reason: str


class OriginKind(enum.StrEnum):
    """What a builder can be made of."""

    PACKAGES = "packages"
    """A distribution's packages: crossbuild makes the root."""
    ROOT = "root"
    IMAGE = "image"
    ARCHIVE = "archive"
    RECIPE = "recipe"
    """An image that the engine builds from one of dockerfiles/."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a builder was made of, and is made of again by a rebuild."""

    kind: OriginKind
    distro: str = ""
    release: str = ""
    packages: tuple[str, ...] = ()
    """With `distro` and `release`: of `OriginKind.PACKAGES`."""
    reference: str = ""
    """Of all others: the root's name, the image, the path of the archive, or the recipe's name."""
    pin: str = ""
    """Of a recipe: its base image as `NAME@sha256:…`, once an engine has pulled it."""

    @property
    def title(self) -> str:
        """Name it in a few words."""
        if self.kind is OriginKind.PACKAGES:
            return f"{self.distro} {self.release}"
        return f"{self.kind} {self.reference}"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder of this host that is shown in a builder and is no part of it: snapshots leave it alone."""

    source: Path
    target: PurePosixPath
    """Absolute, inside the builder."""
    read_only: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `FOLDER:PLACE` or `FOLDER:PLACE:ro` means; raise ValueError for anything else."""
        source, _, rest = text.partition(":")
        place, _, flag = rest.partition(":")
        if flag not in {"", "ro"}:
            raise ValueError(f"`{text}` is not FOLDER:PLACE or FOLDER:PLACE:ro")
        return cls.checked(Path(source), PurePosixPath(place), read_only=flag == "ro")

    @classmethod
    def checked(cls, source: Path, target: PurePosixPath, *, read_only: bool) -> Self:
        """Return that mount; raise ValueError for places that no folder can be shown at."""
        if not target.is_absolute() or ".." in target.parts or len(target.parts) == 1:
            raise ValueError(f"`{source}:{target}` is not FOLDER:PLACE or FOLDER:PLACE:ro")
        if not source.is_absolute():
            raise ValueError(f"`{source}` is not an absolute path")
        return cls(source=source, target=target, read_only=read_only)


def mount_of(value: Mapping[str, Any]) -> Mount:
    """Return the mount that *value*, from JSON, describes; raise ValueError, KeyError or TypeError."""
    source, target = Path(value["source"]), PurePosixPath(value["target"])
    return Mount.checked(source, target, read_only=bool(value["read_only"]))


@dataclass(frozen=True, kw_only=True)
class Change:
    """A run that changed packages."""

    argv: tuple[str, ...]
    status: int
    """As `Backend.run` returned it."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A state that a builder can go back to."""

    name: str
    taken: str
    """ISO 8601 in UTC, to the second: `2026-03-01T09:30:00Z`."""
    automatic: bool
    """Whether crossbuild took it before a run that changes packages, and may drop it."""
    changes: int
    """How many of the builder's changes it holds: the first ones."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """One builder, as its record says."""

    name: str
    engine: EngineKind
    reason: str
    """Why this engine."""
    origin: Origin
    arch: Architecture
    mounts: tuple[Mount, ...]
    changes: tuple[Change, ...] = ()
    """In their order; a rebuild replays those with status 0."""
    snapshots: tuple[Snapshot, ...] = ()
    """The oldest first."""
    interrupted: bool = False
    """Whether a run that may have changed packages was killed, and since then neither was the builder taken
    back nor did another such run end."""
