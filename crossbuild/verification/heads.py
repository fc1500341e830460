"""The ELF header of a file of which only the beginning is at hand, a packed kernel module included."""

from __future__ import annotations

import lzma
import zlib

from crossbuild.formats.elf import HEADER_SIZE, ElfHeader, read_header

HEAD_SIZE = 4096
"""Bytes of a file that are enough to unpack the ELF header of a packed kernel module."""
PACKED_MODULES = (".ko.gz", ".ko.xz")
"""How the names of packed kernel modules end that `header_of` unpacks."""
_MAX_DICTIONARY = 128 << 20
"""Bytes that unpacking may take; xz's largest preset needs 65 MiB."""


def header_of(name: str, head: bytes) -> ElfHeader | None:
    """Return the ELF header of the file *name* that begins with *head*, None where it is no ELF file.

    Kernel modules packed with gzip or xz are unpacked as far as needed. Raises DamagedElfError.
    """
    if name.endswith(".ko.gz"):
        head = _gunzipped(head)
    elif name.endswith(".ko.xz"):
        head = _unxzed(head)
    return read_header(head)


def _gunzipped(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, HEADER_SIZE)
    except zlib.error:
        return b""


def _unxzed(head: bytes) -> bytes:
    try:
        return lzma.LZMADecompressor(memlimit=_MAX_DICTIONARY).decompress(head, HEADER_SIZE)
    except lzma.LZMAError:
        return b""
