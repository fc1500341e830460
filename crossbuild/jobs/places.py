"""Where workers run: a host that takes commands and files, however it is reached."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from crossbuild.host import command
from crossbuild.host.command import CommandResult, LineSink
from crossbuild.model.offload import PATIENCE

BLOCK = 1 << 20


class Shore(Protocol):
    """What reaches a host. Everything raises NodeUnreachableError where the way to it is lost."""

    def run(
        self, argv: Sequence[str], *, stdin: str = "", check: bool = True, timeout: float | None = 60
    ) -> CommandResult:
        """Run *argv* to its end; raise CommandFailedError unless *check* is off."""

    def stream(self, argv: Sequence[str], on_line: LineSink) -> None:
        """Run *argv*, each line of its merged output to *on_line*."""

    def send(self, source: Path, target: PurePosixPath) -> None:
        """Copy a file there, whole or not at all."""

    def fetch(
        self, source: PurePosixPath, target: Path, *, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Copy a file from there, behind what *target* holds already; *on_bytes* hears how much that is."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host where jobs lie in the folder *jobs*."""

    name: str
    jobs: PurePosixPath
    shore: Shore
    patience: float = PATIENCE
    """Seconds after which it is given up while it cannot be reached; its job goes on, for `job attach`."""


class ThisHost:
    """This host, as one among others."""

    def run(
        self, argv: Sequence[str], *, stdin: str = "", check: bool = True, timeout: float | None = 60
    ) -> CommandResult:
        """Run *argv* to its end."""
        return command.capture(argv, stdin=stdin, check=check, timeout=timeout)

    def stream(self, argv: Sequence[str], on_line: LineSink) -> None:
        """Run *argv*, each line of its output to *on_line*."""
        command.stream(argv, on_line=on_line)

    def send(self, source: Path, target: PurePosixPath) -> None:
        """Copy a file."""
        part = Path(f"{target}.part")
        shutil.copyfile(source, part)
        part.replace(target)

    def fetch(
        self, source: PurePosixPath, target: Path, *, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Copy what *target* does not have yet."""
        with Path(source).open("rb") as origin, target.open("ab") as copy:
            origin.seek(copy.tell())
            while block := origin.read(BLOCK):
                copy.write(block)
                if on_bytes:
                    on_bytes(copy.tell())
