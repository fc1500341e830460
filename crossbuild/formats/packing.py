"""How a file that holds a tree is packed, told from how it begins."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from crossbuild.formats import cpio

HEAD = 16
"""Bytes that tell."""
DECOMPRESSORS: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip",  # RFC 1952, 2.3.1
    b"\xfd7zXZ\0": "xz",  # the .xz file format, 2.1.1.1
    b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878, 3.1.1
    b"BZh": "bzip2",  # bzip2's own manual tells no more
}
"""Programs by the bytes that what they pack begins with; all of them take --decompress and --stdout."""
SQUASHFS = b"hsqs"
"""Linux, fs/squashfs/squashfs_fs.h: SQUASHFS_MAGIC, little-endian."""


class Packing(enum.Enum):
    """What a file that is not compressed can be."""

    SQUASHFS = enum.auto()
    CPIO = enum.auto()
    TAR = enum.auto()
    """Or whatever else: a tar has no mark at its beginning, and its reader says what is wrong."""


def decompressor(head: bytes) -> str | None:
    """Return the program that unpacks a file that begins with *head*, None where it is not compressed."""
    return next((program for magic, program in DECOMPRESSORS.items() if head.startswith(magic)), None)


def packing_of(head: bytes) -> Packing:
    """Return how a file is packed that is not compressed and begins with *head*."""
    if head.startswith(SQUASHFS):
        return Packing.SQUASHFS
    return Packing.CPIO if head.startswith(cpio.MAGICS) else Packing.TAR
