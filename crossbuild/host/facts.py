"""Looks at this host without changing anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from crossbuild.host import requirements
from crossbuild.host.binfmt import is_mounted, read_handlers
from crossbuild.host.command import find
from crossbuild.host.engines import find_engines
from crossbuild.model.host import HostFacts, OperatingSystem, OsFamily, Place, Tool

_SYSTEMD_RUNS = Path("/run/systemd/system")
"""Exists where systemd is the init system (sd_booted(3))."""


def inspect_host(places: Iterable[Path] = ()) -> HostFacts:
    """Return what this host is and has, with the free space at *places*; no network, no changes."""
    names = os.uname()
    return HostFacts(
        machine=names.machine,
        kernel=names.release,
        system=_operating_system(requirements.read_os_release()),
        systemd=systemd_runs(),
        root=os.geteuid() == 0,
        binfmt_mounted=is_mounted(),
        handlers=read_handlers(),
        tools=_tools(),
        engines=find_engines(),
        places=tuple(inspect_place(place) for place in places),
    )


def systemd_runs() -> bool:
    """Say whether systemd is the init system that runs here."""
    return _SYSTEMD_RUNS.is_dir()


def inspect_place(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> Place:
    """Return the file system that holds *path*, or would hold it once it is made."""
    existing = next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))
    space = os.statvfs(existing)
    try:
        filesystem = filesystem_of(existing.resolve(), mountinfo.read_text(errors="surrogateescape"))
    except OSError:
        filesystem = "unknown"
    return Place(path=path, existing=existing, filesystem=filesystem, free=space.f_bavail * space.f_frsize)


def filesystem_of(path: Path, mountinfo: str) -> str:
    """Return the type of the file system at *path* from the text of /proc/PID/mountinfo (proc(5))."""
    best, answer = 0, "unknown"
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(_unescaped(before.split(" ")[4]))
        # A later mount of equal depth covers the earlier one.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, answer = len(point.parts), after.split(" ")[0]
    return answer


def _unescaped(field: str) -> str:
    r"""Return a mountinfo field with its octal escapes (`\040` for a blank) resolved."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _operating_system(release: dict[str, str]) -> OperatingSystem:
    return OperatingSystem(
        id=release.get("ID", "linux"),
        version=release.get("VERSION_ID", ""),
        family=OsFamily(requirements.family_of(release)),
    )


def _tools() -> tuple[Tool, ...]:
    paths = ((row.program, find(row.program)) for row in requirements.REQUIREMENTS)
    return tuple(Tool(name=name, path=path) for name, path in paths if path)
