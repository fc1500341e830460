"""Whether this host's disks and clock are fit for builds."""

from __future__ import annotations

import datetime as dt
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from crossbuild.errors import HostNotReadyError
from crossbuild.host.facts import inspect_place
from crossbuild.model.host import Check, Place, Status

GIGABYTE = 10**9
ENOUGH = 10 * GIGABYTE
"""Bytes that a few images of a cluster need, with their roots and caches."""
LEAST = 2 * GIGABYTE
"""Bytes that one small image needs: root, cached base and artifacts."""

CAPABILITY = "security.capability"
# struct vfs_cap_data (Linux, include/uapi/linux/capability.h): revision 2, effective, CAP_NET_BIND_SERVICE.
_VALUE = struct.pack("<5I", 0x02000000 | 1, 1 << 10, 0, 0, 0)

DAY = 86400


def space_checks(places: Iterable[Place]) -> Iterator[Check]:
    """Judge the free space at each of *places*."""
    for place in places:
        free = f"{place.free / GIGABYTE:.1f} GB are free for {place.path} ({place.filesystem})."
        status = (
            Status.OK if place.free >= ENOUGH else Status.WARNING if place.free >= LEAST else Status.FAILED
        )
        remedy = (
            "" if status is Status.OK else f"Free {ENOUGH // GIGABYTE} GB there, or configure another folder"
        )
        yield Check(name=f"space {place.path}", status=status, brief=free, remedy=remedy)


def capability_check(roots: Path, *, root: bool) -> Check:
    """Set a file capability where *roots* is or will be, and read it back."""
    name, place = "capabilities", inspect_place(roots)
    if not root:
        brief = "Only root can try this."
        return Check(name=name, status=Status.SKIPPED, brief=brief, remedy="sudo crossbuild doctor")
    complaint = _capability_complaint(place.existing)
    if not complaint:
        brief = f"The file system of {roots} ({place.filesystem}) holds file capabilities."
        return Check(name=name, status=Status.OK, brief=brief)
    return Check(
        name=name,
        status=Status.FAILED,
        brief=f"The file system of {roots} ({place.filesystem}) cannot hold file capabilities.",
        details=f"{complaint}\nNFS cannot, nor can file systems without extended attributes; `ping` and "
        "others would lose their rights without a word.",
        remedy=f"Put the folder on a local disk (ext4, xfs), or mount one at {roots}",
    )


def require_capabilities(folder: Path) -> None:
    """Raise HostNotReadyError unless *folder*, which exists, can hold roots with file capabilities."""
    check = capability_check(folder, root=True)
    if check.status is Status.FAILED:
        raise HostNotReadyError(check.brief, details=check.details, resolution=f"{check.remedy}.")


def clock_check(now: float | None = None, newest: float | None = None) -> Check:
    """Judge the clock: files of this host and of crossbuild itself cannot be from the future."""
    newest = max(_known_times()) if newest is None else newest
    today = dt.datetime.now(dt.UTC) if now is None else dt.datetime.fromtimestamp(now, dt.UTC)
    if today.timestamp() >= newest - DAY:
        return Check(name="clock", status=Status.OK, brief=f"The clock says {today:%Y-%m-%d %H:%M} UTC.")
    known = dt.datetime.fromtimestamp(newest, dt.UTC)
    return Check(
        name="clock",
        status=Status.FAILED,
        brief=f"The clock is wrong: it says {today:%Y-%m-%d}, but files here are from {known:%Y-%m-%d}.",
        details="Signatures of repositories look invalid then, and file times in images are wrong.",
        remedy="timedatectl set-ntp true",
    )


def _capability_complaint(folder: Path) -> str:
    """Return why a file in *folder* does not hold a capability, empty where it does."""
    try:
        with tempfile.NamedTemporaryFile(prefix=".crossbuild-capability-", dir=folder) as file:
            os.setxattr(file.fileno(), CAPABILITY, _VALUE)
            held = os.getxattr(file.fileno(), CAPABILITY)
    except OSError as error:
        return f"{folder}: {error.strerror}."
    return "" if held == _VALUE else f"{folder}: it came back changed."


def _known_times() -> Iterator[float]:
    """Yield times, in seconds since the epoch, that are surely past."""
    yield Path(__file__).stat().st_mtime
    for folder in (Path("/var/lib/apt/lists"), Path("/var/lib/dpkg"), Path("/var/lib/rpm")):
        if os.access(folder, os.F_OK):
            yield folder.stat().st_mtime
