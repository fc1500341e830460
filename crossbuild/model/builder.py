"""Builders: persistent arm64 userlands, opened by `crossbuild shell` and fed by `crossbuild run`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.model.architecture import Architecture


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


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder of this host that is shown in a builder and is no part of it: snapshots leave it alone."""

    source: Path
    target: PurePosixPath
    """Absolute, inside the builder."""
    read_only: bool


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
    base: str
    """What it was made of, in words."""
    arch: Architecture
    mounts: tuple[Mount, ...]
    changes: tuple[Change, ...] = ()
    """In their order; a rebuild replays those with status 0."""
    snapshots: tuple[Snapshot, ...] = ()
    """The oldest first."""
    interrupted: bool = False
    """Whether a run that may have changed packages was killed, and since then neither was the builder taken
    back nor did another such run end."""
