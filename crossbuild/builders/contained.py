"""Builders in Docker or Podman: a container that lives until it is removed, an image for each snapshot.

`run` imports as little as it can; everything else is in `builders/keeping.py`, which imports the docker SDK.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from crossbuild.builders.contract import SHELL, Base, Command
from crossbuild.engines.execution import execute
from crossbuild.engines.names import container_name
from crossbuild.engines.transport import EngineSilentError, RequestRefusedError
from crossbuild.host.engine_sockets import engine_address, socket_path
from crossbuild.model.builder import Builder
from crossbuild.model.site import Site

_NOT_RUNNING = frozenset({404, 409, 500})
"""What engines answer for a container that is not there, and for one that is stopped (500: Podman)."""


class ContainedBackend:
    """Fulfils `crossbuild.builders.contract.Backend`."""

    def __init__(self, site: Site) -> None:
        """*site* says where records and native twins lie."""
        self._site = site

    def create(self, builder: Builder, base: Base) -> None:
        """Load or pull *base*, and start a container of it."""
        from crossbuild.builders import keeping

        keeping.create(self._site, builder, base)

    def run(self, builder: Builder, command: Command) -> int:
        """Run *command* in the container, which is started if it does not run."""
        try:
            return _execute(builder, command)
        except EngineSilentError:
            pass
        except RequestRefusedError as error:
            if error.status not in _NOT_RUNNING:
                raise
        from crossbuild.builders import keeping

        keeping.wake(builder)
        return _execute(builder, command)

    def snapshot(self, builder: Builder, name: str) -> None:
        """Commit the container; where that was much, let it go on from there."""
        from crossbuild.builders import keeping

        keeping.snapshot(self._site, builder, name)

    def rollback(self, builder: Builder, name: str) -> None:
        """Start a new container of the snapshot, and drop the old one."""
        from crossbuild.builders import keeping

        keeping.rollback(self._site, builder, name)

    def forget(self, builder: Builder, name: str) -> None:
        """Remove the image; layers that the container needs stay."""
        from crossbuild.builders import keeping

        keeping.forget(builder, name)

    def replace(self, builder: Builder, other: Builder) -> None:
        """Start a new container of the other one's image, and drop both old ones."""
        from crossbuild.builders import keeping

        keeping.replace(self._site, builder, other)

    def export(self, builder: Builder, target: Path) -> None:
        """Let the engine write the container's files."""
        from crossbuild.builders import keeping

        keeping.export(builder, target)

    def fetch(self, builder: Builder, paths: Sequence[PurePosixPath], folder: Path) -> None:
        """Copy them out of the container."""
        from crossbuild.builders import keeping

        keeping.fetch(builder, paths, folder)

    def remove(self, builder: Builder) -> None:
        """Remove the container, and its images."""
        from crossbuild.builders import keeping

        keeping.remove(builder)

    def exists(self, builder: Builder) -> bool:
        """Say whether there is a container."""
        from crossbuild.builders import keeping

        return keeping.exists(builder)


def _execute(builder: Builder, command: Command) -> int:
    return execute(
        socket_path(engine_address(builder.engine.value)) or "",
        container_name(builder.name),
        command.argv or SHELL,
        environment=command.environment,
        directory=os.fspath(command.directory),
        terminal=command.terminal,
    )
