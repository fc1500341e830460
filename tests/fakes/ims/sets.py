"""Small artifact sets for IMS, whole and with real digests."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from crossbuild.artifacts.ims import manifest
from crossbuild.artifacts.record import write_record
from crossbuild.artifacts.storage import write_blocks, write_json
from tests.unit.artifacts.jobs import EPOCH
from tests.unit.artifacts.kernels import ARM64_IMAGE
from tests.unit.artifacts.sets import make_facts
from tests.unit.specs import make_spec

PARTS = 3
ROOTFS = (PARTS - 1) * (8 << 20) + 4096
"""Bytes: so many that it goes in parts, the last of them short."""


def write_set(folder: Path, *, name: str = "node", rootfs: int = ROOTFS, kernel: bytes = ARM64_IMAGE) -> Path:
    """Write a set of that *name* below *folder*, with random bytes for a root, and return its folder."""
    directory = folder / name
    directory.mkdir(parents=True)
    contents: dict[str, bytes] = {
        "rootfs": random.Random(name).randbytes(rootfs),
        "kernel": kernel,
        "initrd": b"initrd of the tests",
        "boot_parameters": b"console=ttyAMA0,115200",
    }
    files = tuple(write_blocks([body], directory, f"ims/{file}") for file, body in contents.items())
    facts = make_facts(folder / f"scratch-{name}", **_spec(name))
    write_record(
        facts, (*files, write_json(manifest(files, EPOCH), directory, "ims/manifest.json")), directory
    )
    return directory


def _spec(name: str) -> dict[str, Any]:
    return {"spec": make_spec(name=name)}
