"""Runs one command in a builder as `crossbuild run` would: contained_run.py STATE ENGINE NAME WORD…"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

from crossbuild.builders.contained import ContainedBackend
from crossbuild.builders.contract import Command
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, EngineKind, Origin, OriginKind
from crossbuild.model.site import Site

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "dumb", "WORD": "a b"}


def make_site(state: Path) -> Site:
    """Return a site that keeps all below *state*."""
    return Site(state=state, prefix=state / "prefix", qemu=None, variables=(), repositories=())


def make_builder(engine: EngineKind, name: str = "Tester") -> Builder:
    """Return the record of a builder."""
    return Builder(
        name=name,
        engine=engine,
        reason="it was asked for",
        origin=Origin(kind=OriginKind.ROOT, reference="a-root"),
        arch=Architecture.AARCH64,
        mounts=(),
    )


if __name__ == "__main__":
    state, engine, name, *words = sys.argv[1:]
    command = Command(
        argv=tuple(words),
        environment=ENVIRONMENT,
        terminal=os.isatty(0) and os.isatty(1),
        directory=PurePosixPath("/"),
    )
    backend = ContainedBackend(make_site(Path(state)))
    sys.exit(backend.run(make_builder(EngineKind(engine), name), command))
