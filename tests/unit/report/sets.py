"""A set with everything that a report tells, and boots of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crossbuild.artifacts.receipts import record_digest
from tests.unit.artifacts.sets import make_set

HOSTILE = '</script><script>alert("1")</script><b>&amp;\x1b[31m\u202e'
"""What a package, a path or a console may say to get into a page."""

TIMELINE = {
    "phases": [
        {"phase": "sources", "started": 100.0, "seconds": 2.0, "cached": False},
        {"phase": "base", "started": 103.0, "seconds": 0.5, "cached": True},
        {"phase": "packing", "started": 104.0, "seconds": 6.0, "cached": False},
    ],
    "programs": [
        {
            "program": "/usr/bin/dpkg",
            "native": True,
            "way": "native",
            "starts": 100,
            "timed": 100,
            "seconds": 4.0,
            "cpu_seconds": 3.0,
        },
        {
            "program": "/usr/bin/uname",
            "native": False,
            "way": "no_rule",
            "starts": 5,
            "timed": 5,
            "seconds": 2.0,
            "cpu_seconds": 1.0,
        },
    ],
}
CONTENTS = {
    "size": 1000,
    "files": 4,
    "folders": [
        {"path": "/usr/lib", "size": 700, "files": 2},
        {"path": r"/usr/caf\xe9", "size": 200, "files": 1},
        {"path": "/boot", "size": 100, "files": 1},
    ],
    "packages": [{"name": "curl", "size": 900, "files": 3}],
    "unowned": {"size": 100, "files": 1},
    "largest": [{"path": "/usr/lib/libcurl.so", "size": 600, "package": "curl"}],
}


def full_set(folder: Path, **changes: Any) -> Path:
    """Write a set below *folder* with a timeline and contents, and return its folder."""
    directory = make_set(folder, **changes)
    (directory / "timeline.json").write_text(json.dumps(TIMELINE))
    (directory / "contents.json").write_text(json.dumps(CONTENTS))
    return directory


def write_boot(directory: Path, way: str, *, console: str | None = "login: ", **changes: Any) -> None:
    """Put the record of a boot beside the set, but for *changes*."""
    record: dict[str, Any] = {
        "way": way,
        "verdict": "booted",
        "reason": None,
        "at": "2026-11-21T15:20:03+00:00",
        "seconds": 34.2,
        "memory_bytes": 1 << 30,
        "emulator": "qemu-system-aarch64 7.2.22 (TCG)",
        "image_digest": record_digest(directory),
        "stages": [{"stage": "kernel", "seconds": 1.0}, {"stage": "initramfs", "seconds": 4.0}],
        "checks": [{"check": "architecture", "result": "ok", "found": "aarch64"}],
        "lines": [],
        "console": f"{way}.log",
    }
    (directory / "boot").mkdir(exist_ok=True)
    (directory / f"boot/{way}.json").write_text(json.dumps(record | changes))
    if console is not None:
        (directory / f"boot/{way}.log").write_text(console)
