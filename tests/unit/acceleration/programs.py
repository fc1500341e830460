"""ELF programs small enough to be written down."""

from __future__ import annotations

import struct
from collections.abc import Sequence

EHDR, PHDR = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
EXECUTABLE, POSITION_INDEPENDENT = 2, 3
LOAD, INTERP = 1, 3
X86_64, AARCH64 = 62, 183


def program(
    segments: Sequence[tuple[int, int, int, int]],
    *,
    kind: int = POSITION_INDEPENDENT,
    machine: int = X86_64,
    extra: Sequence[int] = (),
    size: int = 0x3000,
) -> bytes:
    """Return a program of *segments* (offset, address, memory size, alignment) and *extra* header types."""
    headers = [
        PHDR.pack(LOAD, 5, offset, address, address, min(memory, 0x1000), memory, alignment)
        for offset, address, memory, alignment in segments
    ]
    headers += [PHDR.pack(kind_of_header, 4, 0, 0, 0, 0, 0, 1) for kind_of_header in extra]
    ident = (b"\x7fELF" + bytes([2, 1, 1])).ljust(16, b"\0")
    entry = segments[0][1] + 0x123 if segments else 0
    header = EHDR.pack(
        ident, kind, machine, 1, entry, EHDR.size, 0, 0, EHDR.size, PHDR.size, len(headers), 0, 0, 0
    )
    return (header + b"".join(headers)).ljust(size, b"\xaa")


def program_headers(content: bytes) -> list[tuple[int, ...]]:
    """Return (type, flags, offset, address, physical, size in file, size in memory, alignment) of each."""
    count = EHDR.unpack_from(content)[10]
    return [PHDR.unpack_from(content, EHDR.size + index * PHDR.size) for index in range(count)]
