"""The record of a builder with something in each of its fields."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, Change, EngineKind, Mount, Origin, OriginKind, Snapshot

BUILDER = Builder(
    name="one",
    engine=EngineKind.SANDBOX,
    reason="it was asked for",
    origin=Origin(kind=OriginKind.PACKAGES, distro="debian", release="12", packages=("gcc",)),
    arch=Architecture.AARCH64,
    mounts=(Mount(source=Path("/srv/a b"), target=PurePosixPath("/data"), read_only=True),),
    changes=(Change(argv=("yum", "install", os.fsdecode(b"\xff"), "new\nline"), status=-9),),
    snapshots=(Snapshot(name="before", taken="2026-03-01T09:30:00Z", automatic=True, changes=1),),
    interrupted=True,
)
