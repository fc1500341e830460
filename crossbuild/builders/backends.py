"""The backend of each engine, loaded when a builder has it."""

from __future__ import annotations

from typing import assert_never

from crossbuild.builders.contract import Backend
from crossbuild.model.builder import Builder, EngineKind
from crossbuild.model.site import Site


def backend_of(builder: Builder, site: Site) -> Backend:
    """Return what holds the tree of *builder*."""
    match builder.engine:
        case EngineKind.SANDBOX:
            from crossbuild.builders.sandboxed import SandboxBackend

            return SandboxBackend(site)
        case EngineKind.DOCKER | EngineKind.PODMAN:
            from crossbuild.builders.contained import ContainedBackend

            return ContainedBackend(site)
        case _:
            assert_never(builder.engine)
