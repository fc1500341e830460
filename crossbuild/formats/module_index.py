"""`modules.dep`, the index that depmod(8) writes and modprobe(8) reads; see modules.dep(5)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath


def parse_dependencies(text: str) -> Mapping[PurePosixPath, tuple[PurePosixPath, ...]]:
    """Return each module file with the module files it needs, as written: relative to the module folder.

    Raises ValueError for a line that names no module.
    """
    dependencies = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        module, colon, needed = line.partition(":")
        if not colon or not module.strip():
            raise ValueError(f"line {number} names no module: {line}")
        dependencies[PurePosixPath(module.strip())] = tuple(PurePosixPath(name) for name in needed.split())
    return dependencies
