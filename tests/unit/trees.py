"""Roots of a few made-up files: ELF files that say whatever a test wants, and the folders around them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from crossbuild.model.architecture import Architecture
from crossbuild.model.root import Root

AARCH64, X86_64, I386, BPF, XTENSA = 183, 62, 3, 247, 94
LOADER = "/lib/ld-linux-aarch64.so.1"
MODE_EXECUTABLE = 0o755


def make_elf(
    *,
    machine: int = AARCH64,
    bits: int = 64,
    big_endian: bool = False,
    kind: int = 3,
    interpreter: str = "",
    needed: tuple[str, ...] = (),
    soname: str = "",
    rpath: str = "",
    runpath: str = "",
    pie: bool = False,
) -> bytes:
    """Return an ELF file with these headers and nothing to execute."""
    order = ">" if big_endian else "<"
    word = order + ("Q" if bits == 64 else "I")
    strings = bytearray(b"\0")

    def string(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - 1 - len(text.encode())

    entries = [(1, string(name)) for name in needed]
    entries += [(tag, string(text)) for tag, text in ((14, soname), (15, rpath), (29, runpath)) if text]
    entries += [(0x6FFFFFFB, 0x08000000)] if pie else []
    header_size, segment_size = (64, 56) if bits == 64 else (52, 32)
    base = 0x10000
    body_at = header_size + 3 * segment_size
    name = interpreter.encode() + b"\0" if interpreter else b""
    strings_at = body_at + len(name)
    dynamic_at = strings_at + len(strings)
    dynamic = b""
    if entries:
        entries += [(5, base + strings_at), (10, len(strings)), (0, 0)]
        dynamic = b"".join(struct.pack(word + word[1:], tag, value) for tag, value in entries)
    total = dynamic_at + len(dynamic)

    def segment(purpose: int, offset: int, size: int) -> bytes:
        if bits == 64:
            return struct.pack(order + "IIQQQQQQ", purpose, 5, offset, base + offset, 0, size, size, 1)
        return struct.pack(order + "IIIIIIII", purpose, offset, base + offset, 0, size, size, 5, 1)

    ident = b"\x7fELF" + bytes([bits // 32, 2 if big_endian else 1, 1]) + bytes(9)
    layout = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    header = struct.pack(
        layout, kind, machine, 1, 0, header_size, 0, 0, header_size, segment_size, 3, 0, 0, 0
    )
    segments = (
        segment(1, 0, total)
        + segment(3 if name else 0, body_at, len(name))
        + segment(2 if entries else 0, dynamic_at, len(dynamic))
    )
    return ident + header + segments + name + bytes(strings) + dynamic


def program(*needed: str, interpreter: str = LOADER, runpath: str = "", rpath: str = "") -> bytes:
    """Return a dynamically linked program."""
    return make_elf(interpreter=interpreter, needed=needed, runpath=runpath, rpath=rpath, pie=True)


def library(soname: str, *needed: str, machine: int = AARCH64) -> bytes:
    """Return a shared library."""
    return make_elf(soname=soname, needed=needed, machine=machine)


def make_root(path: Path, files: Mapping[str, bytes | str]) -> Root:
    """Fill *path* with *files* and return it as a root; a string is the target of a symbolic link.

    Files may be executed, because the modes of most of them are of no interest.
    """
    for name, content in files.items():
        file = path / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            file.symlink_to(content)
        else:
            file.write_bytes(content)
            file.chmod(MODE_EXECUTABLE)
    return Root(path=path, arch=Architecture.AARCH64)


SOUND: Mapping[str, bytes | str] = {
    "/lib/ld-linux-aarch64.so.1": library("ld-linux-aarch64.so.1"),
    "/usr/lib/libc.so.6": library("libc.so.6", "ld-linux-aarch64.so.1"),
    "/usr/bin/dash": program("libc.so.6"),
    "/bin/sh": "/usr/bin/dash",
    "/usr/lib/systemd/systemd": program("libc.so.6"),
    "/sbin/init": "/lib/systemd/systemd",
    "/lib/systemd": "/usr/lib/systemd",
    "/etc/machine-id": b"",
}
"""The smallest root with nothing wrong in it, but for its kernel."""
