"""A root made of layers (Linux, Documentation/filesystems/overlayfs.rst), one for all runs at a time.

Two mounts with one upper folder are undefined behaviour. So the first run mounts the overlay in a mount
namespace of its own and every later one enters that namespace, for as long as any of them lives: they share
one file system, with its locks. No process stays behind to hold it, and the kernel unmounts it with the last.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from crossbuild.host.locks import held
from crossbuild.host.mounts import (
    CLONE_NEWNS,
    MS_NODEV,
    MS_REC,
    MS_SLAVE,
    check,
    libc,
    mount,
    mounts,
    separate,
)

OWN_NAMESPACE = Path("/proc/self/ns/mnt")
PAUSE = 0.05
"""Seconds between two tries while the kernel still takes down what a killed run left."""


class OverlaySpec(TypedDict):
    """The JSON form of `crossbuild.machines.sandbox.Overlay`."""

    folder: str
    """It holds the layers, each a folder that is named without a path."""
    lower: list[str]
    """The topmost first."""
    upper: str
    work: str
    users: str
    """A folder for what runs tell one another."""


@contextlib.contextmanager
def assembled(overlay: OverlaySpec, place: str) -> Iterator[None]:
    """Have the layers mounted at *place*, in a mount namespace that other runs of the same tree share."""
    users = Path(overlay["users"])
    own = users / str(os.getpid())
    origin = OWN_NAMESPACE.readlink()
    with held(users / "lock"):
        if not _join(users, origin, place):
            _mount(overlay, place)
        own.write_text(f"{origin}\n{OWN_NAMESPACE.readlink()}\n", encoding="ascii")
    try:
        yield
    finally:
        own.unlink(missing_ok=True)


def options(overlay: OverlaySpec, *, private: bool) -> str:
    """Return the mount options; *private* says that this is a user namespace."""
    words = [
        f"lowerdir={':'.join(overlay['lower'])}",
        f"upperdir={overlay['upper']}",
        f"workdir={overlay['work']}",
        "index=on",  # then the kernel refuses a second mount of one upper folder, rather than warning
        "redirect_dir=nofollow",  # layers can be merged without finding out where renamed folders came from
        "metacopy=off",  # each layer holds the whole of a file
    ]
    # There the kernel keeps its notes in attributes that others than the host's root may write.
    return ",".join([*words, "userxattr"] if private else words)


def _join(users: Path, origin: Path, place: str) -> bool:
    """Enter the mount namespace of a living run that began where this one did; say whether there is one."""
    for note in sorted(users.iterdir()):
        if not note.name.isdecimal():
            continue
        process = Path("/proc", note.name)
        with contextlib.suppress(OSError):
            words = note.read_text(encoding="ascii").split()
            namespace = os.open(process / "ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
            try:
                # A process id may be another's by now; a namespace that is open is not.
                same = [str(origin), str(Path(f"/proc/self/fd/{namespace}").readlink())] == words
                if same and _is_mounted(place, process / "mountinfo"):
                    check(libc.setns(namespace, CLONE_NEWNS), "setns")
                    return True
            finally:
                os.close(namespace)
        if not process.exists():
            note.unlink(missing_ok=True)
    return False


def _is_mounted(place: str, table: Path) -> bool:
    return any(kind == "overlay" and found == place for found, kind, _ in mounts(table))


def _mount(overlay: OverlaySpec, place: str) -> None:
    separate(CLONE_NEWNS)
    # What the host mounts later is seen here too; what is mounted here stays here.
    mount("none", "/", "", MS_REC | MS_SLAVE)
    # A mount's options have one page for all names: they are short, and relative.
    before = Path.cwd()
    os.chdir(overlay["folder"])
    told = False
    while True:
        try:
            mount("overlay", place, "overlay", MS_NODEV, options(overlay, private=_in_user_namespace()))
            break
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            if not told:
                print("crossbuild: another run has this tree; waiting for it to end.", file=sys.stderr)
            told = True
            time.sleep(PAUSE)
    os.chdir(before)


def _in_user_namespace() -> bool:
    """Say whether not every id is mapped as it is, as in the first user namespace (user_namespaces(7))."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split() != ["0", "0", "4294967295"]
