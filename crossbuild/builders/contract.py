"""What holds a builder's tree: the contract that crossbuild's own sandbox, Docker and Podman fulfil.

Locks, records and automatic snapshots are the service's: a backend is called by one process at a time, but
for `run`, which may be called by several at once, and `exists`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from crossbuild.model.builder import Builder


@dataclass(frozen=True, kw_only=True)
class RootBase:
    """A root file system on this host's disk."""

    path: Path
    consumed: bool
    """Whether the builder may take the tree itself, rather than a copy."""


@dataclass(frozen=True, kw_only=True)
class ArchiveBase:
    """A docker-archive, an OCI layout, or a tar of a root."""

    path: Path


@dataclass(frozen=True, kw_only=True)
class TreeBase:
    """A tar that `Backend.export` wrote: a tree, whatever files are in it."""

    path: Path


@dataclass(frozen=True, kw_only=True)
class ImageBase:
    """An image of a registry, with the digest that pins it: `NAME@sha256:…`."""

    reference: str


Base = RootBase | ArchiveBase | TreeBase | ImageBase


SHELL = ("/bin/sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash --login; fi; exec /bin/sh -l")
"""The interactive shell of every builder: a login shell, so that `module` and the like are there."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is run in a builder."""

    argv: tuple[str, ...]
    """Byte for byte, what is not UTF-8 as PEP 383 has it; none: `SHELL`."""
    environment: Mapping[str, str]
    """The whole environment."""
    terminal: bool
    """Whether standard input and output are a terminal, whose size and signals the command then gets."""
    directory: PurePosixPath
    """Where it starts, inside the builder."""


class Backend(Protocol):
    """Keeps the trees of builders. Whatever fails raises a CrossbuildError."""

    def create(self, builder: Builder, base: Base) -> None:
        """Make the tree of *builder* from *base*, whole or not at all.

        Raises ArtifactError where its programs are not for the builder's architecture, which is read from
        the files, and UsageError for a kind of base that it does not take.
        """

    def run(self, builder: Builder, command: Command) -> int:
        """Run *command* on this process's own streams; return its status, minus a signal's number.

        The builder's mounts are shown, and its folder for acceleration (`store.Places.accelerate`) at
        /run/crossbuild, read-only but for the file `count`.
        """

    def snapshot(self, builder: Builder, name: str) -> None:
        """Keep the present state as *name*, which no snapshot of this builder has; takes seconds."""

    def rollback(self, builder: Builder, name: str) -> None:
        """Return to the state *name* and drop all later ones; *name* itself stays."""

    def forget(self, builder: Builder, name: str) -> None:
        """Drop the snapshot *name*; the present state does not change."""

    def replace(self, builder: Builder, other: Builder) -> None:
        """Give *builder* the tree of *other*, which goes; so do the snapshots of *builder*, as it names them.

        Killed at any moment, *builder* has the one tree or the other, whole.
        """

    def export(self, builder: Builder, target: Path) -> None:
        """Write the present state to the new file *target*, as a tar without what is mounted in the tree."""

    def fetch(self, builder: Builder, paths: Sequence[PurePosixPath], folder: Path) -> None:
        """Copy those of the files *paths* that are there to the same places below *folder*."""

    def remove(self, builder: Builder) -> None:
        """Remove tree and snapshots; what is gone already is no error."""

    def exists(self, builder: Builder) -> bool:
        """Say whether the tree is there."""
