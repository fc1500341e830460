"""Checksums, computed in the one pass that writes or reads a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from crossbuild.model.artifact import Digests

CHUNK = 1 << 20


class DigestWriter:
    """Collects the size, sha256 and md5 of all that passes through `update`."""

    def __init__(self) -> None:
        self._size = 0
        self._sha256 = hashlib.sha256()
        # Warewulf 3 and IMS identify files by md5; nothing here trusts it (facts of both services).
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, block: bytes) -> None:
        """Add *block*."""
        self._size += len(block)
        self._sha256.update(block)
        self._md5.update(block)

    @property
    def digests(self) -> Digests:
        """What was added so far."""
        return Digests(size=self._size, sha256=self._sha256.hexdigest(), md5=self._md5.hexdigest())


def file_digests(path: Path) -> Digests:
    """Read *path* once and return its digests."""
    writer = DigestWriter()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            writer.update(block)
    return writer.digests
