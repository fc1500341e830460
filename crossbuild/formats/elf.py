"""What loading an ELF file depends on: machine, interpreter, needed libraries and where they are looked for.

Source: System V ABI, "gABI", chapters 4 (Object Files) and 5 (Program Loading and Dynamic Linking). Only
the parts that are needed are read, each with an upper bound: a hostile file costs no more than a good one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from crossbuild.model.architecture import Architecture

MAGIC = b"\x7fELF"
HEADER_SIZE = 20
"""How many bytes of a file `read_header` looks at."""
TYPE_RELOCATABLE, TYPE_EXECUTABLE, TYPE_SHARED = 1, 2, 3
"""Values of `e_type`: an object or a kernel module, a program at a fixed address, a library or program."""
MACHINE_BPF = 247
"""EM_BPF: code for the kernel's own virtual machine, the same on every architecture."""

_MACHINES: Mapping[int, str] = {
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    MACHINE_BPF: "bpf",
    258: "loongarch",
}
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
_DT_FLAGS_1, _DF_1_PIE = 0x6FFFFFFB, 0x08000000
"""Of the GNU extensions, as glibc's elf.h numbers them."""
_IDENT_SIZE = 16
_MAX_SEGMENTS = 1024
_MAX_DYNAMIC = 1 << 16
"""Bytes; large programs have some 60 entries of 16 bytes."""
_MAX_STRING = 4096
"""PATH_MAX of Linux, its NUL byte included."""


class DamagedElfError(ValueError):
    """The file begins as an ELF file does, but is cut short or contradicts itself."""


@dataclass(frozen=True, kw_only=True)
class ElfHeader:
    """The first bytes of an ELF file."""

    bits: int
    """32 or 64."""
    big_endian: bool
    type: int
    """`e_type`."""
    machine: int
    """`e_machine`."""

    @property
    def machine_name(self) -> str:
        """As `uname -m` or a reader would call it; an unknown one by its number."""
        name = _MACHINES.get(self.machine, f"machine {self.machine}")
        return f"{name} ({self.bits} bits, {'big' if self.big_endian else 'little'} endian)"

    def is_for(self, arch: Architecture) -> bool:
        """Whether code of *arch*'s 64-bit little-endian ABI is in it, and no other."""
        return self.machine == arch.elf_machine and self.bits == 64 and not self.big_endian


@dataclass(frozen=True, kw_only=True)
class ElfFile:
    """What the dynamic loader reads of a file; names are decoded as `os.fsdecode` does."""

    header: ElfHeader
    interpreter: str = ""
    """PT_INTERP: the loader that the kernel starts for a program, empty for libraries and static programs."""
    needed: tuple[str, ...] = ()
    soname: str = ""
    rpath: tuple[str, ...] = ()
    """DT_RPATH, split at colons; may hold $ORIGIN, $LIB and $PLATFORM (ld.so(8))."""
    runpath: tuple[str, ...] = ()
    """DT_RUNPATH, likewise."""
    pie: bool = False
    """DF_1_PIE in DT_FLAGS_1: a program, not a library, although its type is TYPE_SHARED."""

    @property
    def is_static(self) -> bool:
        """Whether it is a program that runs without a loader, at a fixed address or not."""
        program = self.pie or self.header.type == TYPE_EXECUTABLE
        return program and not (self.interpreter or self.needed)


@dataclass(frozen=True)
class _Segment:
    type: int
    offset: int
    address: int
    size: int


@dataclass(frozen=True)
class _Layout:
    """The structures of one class and byte order; 32-bit program headers keep their flags elsewhere."""

    header: struct.Struct
    segment: struct.Struct
    entry: struct.Struct
    fields: tuple[int, int, int, int]
    """Where type, offset, address and size in the file stand in a program header."""


def _layouts() -> Mapping[tuple[int, bool], _Layout]:
    layouts = {}
    for big_endian, order in ((False, "<"), (True, ">")):
        layouts[64, big_endian] = _Layout(
            struct.Struct(order + "HHIQQQIHHH"), struct.Struct(order + "IIQQQQQQ"),
            struct.Struct(order + "QQ"), (0, 2, 3, 5),
        )  # fmt: skip
        layouts[32, big_endian] = _Layout(
            struct.Struct(order + "HHIIIIIHHH"), struct.Struct(order + "IIIIIIII"),
            struct.Struct(order + "II"), (0, 1, 2, 4),
        )  # fmt: skip
    return layouts


_LAYOUTS = _layouts()


def read_header(head: bytes) -> ElfHeader | None:
    """Return what *head*, the first HEADER_SIZE bytes of a file or more, says; None where it is no ELF file.

    Raises DamagedElfError.
    """
    if not head.startswith(MAGIC):
        return None
    if len(head) < HEADER_SIZE or head[4] not in {1, 2} or head[5] not in {1, 2}:
        raise DamagedElfError("its header is cut short or names no known class and byte order")
    big_endian = head[5] == 2
    type_, machine = struct.unpack_from(">HH" if big_endian else "<HH", head, _IDENT_SIZE)
    return ElfHeader(bits=32 * head[4], big_endian=big_endian, type=type_, machine=machine)


def read_elf(file: BinaryIO) -> ElfFile | None:
    """Return what the loader would read of *file*, None where it is no ELF file. Raises DamagedElfError."""
    file.seek(0)
    head = file.read(64)
    header = read_header(head)
    if header is None:
        return None
    layout = _LAYOUTS[header.bits, header.big_endian]
    segments = _segments(file, head, layout)
    interpreter = ""
    for segment in segments:
        if segment.type == _PT_INTERP:
            interpreter = _text(_read(file, segment.offset, min(segment.size, _MAX_STRING)))
    return _with_dynamic(file, layout, segments, ElfFile(header=header, interpreter=interpreter))


def _segments(file: BinaryIO, head: bytes, layout: _Layout) -> tuple[_Segment, ...]:
    if len(head) < _IDENT_SIZE + layout.header.size:
        raise DamagedElfError("its header is cut short")
    *_, offset, _sections, _flags, _size, entry_size, count = layout.header.unpack_from(head, _IDENT_SIZE)
    if not count:
        return ()
    if entry_size != layout.segment.size or count > _MAX_SEGMENTS:
        raise DamagedElfError(f"it claims {count} program headers of {entry_size} bytes")
    table = _read(file, offset, count * entry_size)
    return tuple(
        _Segment(*(row[field] for field in layout.fields)) for row in layout.segment.iter_unpack(table)
    )


def _with_dynamic(file: BinaryIO, layout: _Layout, segments: Iterable[_Segment], elf: ElfFile) -> ElfFile:
    """Return *elf* with what its dynamic section says; the same where it has none."""
    entries = _dynamic(file, layout, segments)
    values = dict(reversed(entries))
    if not values:
        return elf
    strings = _file_offset(segments, values.get(_DT_STRTAB, 0))
    size = values.get(_DT_STRSZ, 0)

    def text(index: int | None) -> str:
        if index is None:
            return ""
        if index >= size:
            raise DamagedElfError("a name lies outside its table of strings")
        return _text(_read_some(file, strings + index, min(size - index, _MAX_STRING)))

    return ElfFile(
        header=elf.header,
        interpreter=elf.interpreter,
        needed=tuple(text(value) for tag, value in entries if tag == _DT_NEEDED),
        soname=text(values.get(_DT_SONAME)),
        rpath=_folders(text(values.get(_DT_RPATH))),
        runpath=_folders(text(values.get(_DT_RUNPATH))),
        pie=bool(values.get(_DT_FLAGS_1, 0) & _DF_1_PIE),
    )


def _dynamic(file: BinaryIO, layout: _Layout, segments: Iterable[_Segment]) -> list[tuple[int, int]]:
    """Return the (tag, value) pairs of the dynamic section, in its order, without the closing one."""
    for segment in segments:
        if segment.type == _PT_DYNAMIC and segment.size:
            size = min(segment.size, _MAX_DYNAMIC)
            table = _read(file, segment.offset, size - size % layout.entry.size)
            entries: list[tuple[int, int]] = []
            for tag, value in layout.entry.iter_unpack(table):
                if tag == _DT_NULL:
                    break
                entries.append((tag, value))
            return entries
    return []


def _file_offset(segments: Iterable[_Segment], address: int) -> int:
    """Return where in the file lies what is loaded at *address*."""
    for segment in segments:
        if segment.type == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise DamagedElfError("its table of strings lies in no segment of the file")


def _read(file: BinaryIO, offset: int, size: int) -> bytes:
    content = _read_some(file, offset, size)
    if len(content) < size:
        raise DamagedElfError(f"it ends before byte {offset + size}")
    return content


def _read_some(file: BinaryIO, offset: int, size: int) -> bytes:
    try:
        file.seek(offset)
    except (OSError, OverflowError, ValueError) as error:
        raise DamagedElfError(f"it refers to byte {offset}") from error
    return file.read(size)


def _text(content: bytes) -> str:
    text, end, _ = content.partition(b"\0")
    if not end:
        raise DamagedElfError("a name in it has no end")
    return os.fsdecode(text)


def _folders(search_path: str) -> tuple[str, ...]:
    return tuple(folder for folder in search_path.split(":") if folder)
