"""Mounts and namespaces, by the C library: Python has no calls for them before 3.12.

It imports the standard library only, since the first program of a sandbox uses it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE = 0x20, 0x1000, 0x4000, 0x40000, 0x80000
MNT_DETACH = 2

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise OSError naming *what* if a call of the C library failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def separate(flags: int) -> None:
    """Move this process, or for the PID namespace its children, into new namespaces (unshare(2))."""
    check(libc.unshare(flags), "new namespaces")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system of *kind*; raise OSError if the kernel refuses (mount(2))."""
    result = libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    check(result, target)


def bind(source: str, target: str, flags: int = 0) -> None:
    """Show *source* at *target*; the flags of a bind mount take a second call."""
    result = libc.mount(
        os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(MS_BIND | MS_REC), None
    )
    check(result, target)
    if flags:
        remount(target, flags)


def remount(target: str, flags: int) -> None:
    """Change the flags of one mount."""
    flags |= MS_REMOUNT | MS_BIND
    check(libc.mount(None, os.fsencode(target), None, ctypes.c_ulong(flags), None), target)


def mounts(table: Path = Path("/proc/self/mountinfo")) -> list[tuple[str, str, int]]:
    """Return (place, type, flags) of every mount of a namespace, by proc_pid_mountinfo(5)."""
    known = {"ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}
    found = []
    for line in table.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields = line.split(" ")
        place = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")
        kind = fields[fields.index("-") + 1]
        flags = sum(known.get(option, 0) for option in fields[5].split(","))
        found.append((os.fsdecode(place), kind, flags))
    return found
