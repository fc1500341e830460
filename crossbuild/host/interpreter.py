"""Joins crossbuild-exec and a static qemu into the one file that binfmt_misc starts.

The kernel maps both at once, as it maps any program; crossbuild-exec begins, and jumps to qemu where a
program has no twin. So emulation costs what plain qemu costs, and qemu is there in every chroot.
Sources: System V ABI, "gABI", chapters 4 (ELF Header) and 5 (Program Header); Linux, fs/binfmt_elf.c.
"""

from __future__ import annotations

import dataclasses
import os
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import HostNotReadyError, StorageError
from crossbuild.model.architecture import Architecture

NAME = "crossbuild-exec-binfmt-P"
"""Before Linux 5.12 only this ending tells crossbuild-exec, and Debian's qemu, of the handler's flag P."""

FOLDER = "exec"
"""Below crossbuild's state: where `crossbuild setup` puts it."""

PT_QEMU = 0x63726F73
"""Type of the program header that holds the address of qemu's ELF header; exec.c looks for it."""

_EHDR, _PHDR = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
_IDENT = b"\x7fELF" + bytes([2, 1, 1])
_ET_EXEC, _ET_DYN = 2, 3
_PT_LOAD, _PT_INTERP, _PT_PHDR, _PT_GNU_STACK = 1, 3, 6, 0x6474E551
_PF_R, _PF_W = 4, 2
_PAGE = 0x1000
_LOWEST_ADDRESS = 0x10000
"""vm.mmap_min_addr as kernels set it: nothing can be mapped below."""


@dataclass(frozen=True)
class _Segment:
    """A program header, fields in the order of the file."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    alignment: int

    def moved(self, *, offset: int, address: int) -> _Segment:
        moved = self.address + address
        return dataclasses.replace(self, offset=self.offset + offset, address=moved, physical=moved)


@dataclass(frozen=True, kw_only=True)
class _Program:
    """A static program."""

    content: bytes
    fixed: bool
    """Whether it must lie where its program headers say (ET_EXEC)."""
    entry: int
    segments: tuple[_Segment, ...]

    @property
    def loaded(self) -> tuple[_Segment, ...]:
        return tuple(segment for segment in self.segments if segment.type == _PT_LOAD)

    @property
    def end(self) -> int:
        return max(segment.address + segment.memory_size for segment in self.loaded)

    @property
    def alignment(self) -> int:
        return max(_PAGE, *(segment.alignment for segment in self.loaded))


def join(front: bytes, qemu: bytes) -> bytes:
    """Return the program that begins with *front* and has *qemu* mapped behind it, unchanged.

    Raises HostNotReadyError where *qemu* is not a static x86_64 program.
    """
    first, second = _read(front, "crossbuild-exec"), _read(qemu, "qemu")
    space = _round_up(_PAGE + first.end, second.alignment)
    # The headers and crossbuild-exec come first in memory: kernels look for the headers there.
    base = second.loaded[0].address - space if second.fixed else 0
    if second.fixed and base < _LOWEST_ADDRESS:
        raise _unfit(f"it leaves no room below its address {second.loaded[0].address:#x}")
    place = _round_up(_PAGE + len(front), second.alignment)
    shift = 0 if second.fixed else space
    segments = (
        *(segment.moved(offset=_PAGE, address=base + _PAGE) for segment in first.loaded),
        *(segment.moved(offset=place, address=shift) for segment in second.loaded),
    )
    marker = _Segment(PT_QEMU, _PF_R, place, second.loaded[0].address + shift, 0, 0, 0, 1)
    kind = _ET_EXEC if second.fixed else _ET_DYN
    headers = _headers(kind, base + _PAGE + first.entry, base, (marker, *segments))
    return (headers.ljust(_PAGE, b"\0") + front).ljust(place, b"\0") + qemu


def write_interpreter(target: Path, *, front: Path, qemu: Path) -> None:
    """Put the program joined from the files *front* and *qemu* at *target*, mode 0755, in one rename.

    What runs keeps the file that it started from. Raises HostNotReadyError and StorageError.
    """
    try:
        joined = join(front.read_bytes(), qemu.read_bytes())
    except OSError as error:
        raise HostNotReadyError(f"Cannot read {error.filename}.", details=str(error)) from error
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            scratch = Path(folder, target.name)
            with scratch.open("wb") as file:
                file.write(joined)
                file.flush()
                os.fsync(file.fileno())
            scratch.chmod(0o755)
            scratch.rename(target)
    except OSError as error:
        raise StorageError(f"Cannot write {target}.", details=str(error)) from error


def holds_front(interpreter: Path, front: Path) -> bool:
    """Say whether *interpreter* was joined from *front*; no for a file that cannot be read."""
    try:
        wanted = front.read_bytes()
        with interpreter.open("rb") as file:
            file.seek(_PAGE)
            return file.read(len(wanted)) == wanted
    except OSError:
        return False


def holds_emulator(interpreter: Path, qemu: Path) -> bool:
    """Say whether *interpreter* is *qemu* or was joined from it; no for a file that cannot be read."""
    try:
        return interpreter.read_bytes().endswith(qemu.read_bytes())
    except OSError:
        return False


def _headers(kind: int, entry: int, base: int, segments: Sequence[_Segment]) -> bytes:
    """Return an ELF header and program headers for *segments*, which lie at address *base* themselves."""
    count = len(segments) + 3
    size = _EHDR.size + count * _PHDR.size
    table = base + _EHDR.size
    every = (
        _Segment(_PT_PHDR, _PF_R, _EHDR.size, table, table, count * _PHDR.size, count * _PHDR.size, 8),
        _Segment(_PT_GNU_STACK, _PF_R | _PF_W, 0, 0, 0, 0, 0, 16),
        _Segment(_PT_LOAD, _PF_R, 0, base, base, size, size, _PAGE),
        *segments,
    )
    header = _EHDR.pack(
        _IDENT.ljust(16, b"\0"), kind, Architecture.X86_64.elf_machine, 1, entry, _EHDR.size, 0, 0,
        _EHDR.size, _PHDR.size, count, 0, 0, 0,
    )  # fmt: skip
    return header + b"".join(_PHDR.pack(*dataclasses.astuple(segment)) for segment in every)


def _read(content: bytes, name: str) -> _Program:
    """Read a static x86_64 program; raise HostNotReadyError, calling it *name*, for anything else."""
    if len(content) < _EHDR.size or not content.startswith(_IDENT):
        raise _unfit(f"{name} is not a 64-bit program")
    _, kind, machine, _, entry, table, _, _, _, size, count, *_ = _EHDR.unpack_from(content)
    if machine != Architecture.X86_64.elf_machine or kind not in {_ET_EXEC, _ET_DYN}:
        raise _unfit(f"{name} is not an x86_64 program")
    if size != _PHDR.size or table + count * size > len(content):
        raise _unfit(f"{name} is damaged")
    segments = tuple(_Segment(*_PHDR.unpack_from(content, table + index * size)) for index in range(count))
    program = _Program(content=content, fixed=kind == _ET_EXEC, entry=entry, segments=segments)
    if any(segment.type == _PT_INTERP for segment in segments):
        raise _unfit(f"{name} is linked dynamically")
    # Its ELF header must be in memory, where crossbuild-exec reads it.
    if not program.loaded or program.loaded[0].offset or program.loaded[0].file_size < table + count * size:
        raise _unfit(f"{name} does not load its own headers")
    return program


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _unfit(reason: str) -> HostNotReadyError:
    return HostNotReadyError(
        "This qemu cannot be joined with crossbuild-exec.",
        details=f"Of the two files, {reason}.",
        resolution="Name a static qemu-aarch64 for x86_64 with `crossbuild setup --qemu PATH`.",
    )
