"""A private user namespace: in it an ordinary user is root over files and mounts of his own.

The user's id becomes 0 there and his subordinate ids 1 and up (subuid(5)), so that files of a root can have
every owner. It ends with the last process in it. Workers on nodes go there, too.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CrossbuildError, HostNotReadyError
from crossbuild.host.caller import note_namespace
from crossbuild.host.command import capture, find
from crossbuild.host.facts import inspect_host
from crossbuild.host.mounts import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_PRIVATE,
    MS_REC,
    mount,
    separate,
)
from crossbuild.host.requirements import install_command, package_for
from crossbuild.model.host import HostFacts

IDS = 65536
"""How many ids a root must have: `nobody` is 65534."""
DOCTOR = "Run `crossbuild doctor`: it names what is missing."

_SUBORDINATE = {"newuidmap": Path("/etc/subuid"), "newgidmap": Path("/etc/subgid")}


@dataclass(frozen=True, kw_only=True)
class IdRange:
    """*count* ids from *inside* on in a namespace, which are those from *outside* on out of it."""

    inside: int
    outside: int
    count: int

    def __str__(self) -> str:
        return f"{self.inside} {self.outside} {self.count}"


def become_root_natively() -> None:
    """Make this process root as `become_root` does, for programs of this host's own architecture only."""
    if os.geteuid() != 0:
        enter(inspect_host())


def enter(facts: HostFacts) -> None:
    """Make this process root of a new private namespace, once and before any thread starts.

    Raises HostNotReadyError.
    """
    user, group = os.geteuid(), os.getegid()
    maps = {program: _ids(program, file, facts) for program, file in _SUBORDINATE.items()}
    _unshare(maps)
    note_namespace(user, group)


def parse_ranges(text: str, *names: str) -> tuple[tuple[int, int], ...]:
    """Return (first id, count) of each line of a subuid(5) file that is for one of *names*."""
    rows = (line.split(":") for line in text.splitlines())
    return tuple((int(row[1]), int(row[2])) for row in rows if len(row) == 3 and row[0] in names)


def map_ids(own: int, ranges: Sequence[tuple[int, int]]) -> tuple[IdRange, ...]:
    """Map *own* to 0 and what *ranges* hold to 1 and up, IDS in all or fewer."""
    mapped, following = [IdRange(inside=0, outside=own, count=1)], 1
    for first, count in ranges:
        taken = min(count, IDS - following)
        if taken > 0:
            mapped.append(IdRange(inside=following, outside=first, count=taken))
            following += taken
    return tuple(mapped)


def _ids(program: str, file: Path, facts: HostFacts) -> tuple[IdRange, ...]:
    """Return the map that *program* is to write, from *file*."""
    family = facts.system.family.value
    if not find(program):
        package = package_for(program, family)
        raise HostNotReadyError(
            "Only root can build here: newuidmap and newgidmap are missing.",
            details="They let an ordinary user have more than one id in a private namespace.",
            resolution=f"Run `{install_command(family, (package,))}`, or use sudo." if package else DOCTOR,
        )
    name = _user_name()
    own = os.getuid() if program == "newuidmap" else os.getgid()
    try:
        text = file.read_text()
    except OSError:
        text = ""
    mapped = map_ids(own, parse_ranges(text, name, str(os.getuid())))
    if sum(part.count for part in mapped) < IDS:
        raise HostNotReadyError(
            f"Only root can build here: {file} gives {name} fewer than {IDS - 1} subordinate ids.",
            details="The files of a root belong to many users; these ids stand for them.",
            resolution=f"Run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}` "
            "with ids that nobody has, or use sudo.",
        )
    return mapped


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _unshare(maps: dict[str, tuple[IdRange, ...]]) -> None:
    """Move this process into new user and mount namespaces; a child that stays outside writes the maps."""
    go, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _map_from_outside(maps, os.getppid(), go, done[1])
    os.close(go[0])
    os.close(done[1])
    try:
        separate(CLONE_NEWUSER | CLONE_NEWNS)
        os.write(go[1], b"+")
        with open(done[0], closefd=False, encoding="utf-8", errors="replace") as answer:
            complaint = answer.read()
    except OSError as error:
        raise refused(str(error)) from error
    finally:
        os.close(go[1])
        os.close(done[0])
        os.waitpid(child, 0)
    if complaint or os.geteuid() != 0:
        raise refused(complaint or "The ids were not mapped.")
    try:
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    except OSError as error:
        raise refused(str(error)) from error


def _map_from_outside(
    maps: dict[str, tuple[IdRange, ...]], target: int, go: tuple[int, int], done: int
) -> None:
    """Write the maps of the process *target* once it says so, and its complaint to *done*; do not return."""
    try:
        os.close(go[1])
        if os.read(go[0], 1):
            for program, ranges in maps.items():
                words = [word for part in ranges for word in str(part).split()]
                capture([program, str(target), *words])
    except CrossbuildError as error:
        os.write(done, f"{error.brief}\n{error.details}".encode())
    finally:
        os._exit(0)


def refused(reason: str) -> HostNotReadyError:
    """Return the error for a host that forbids it, for *reason*."""
    return HostNotReadyError(
        "Only root can build here: this host does not let ordinary users make namespaces.",
        details=f"{reason.strip()}\nSysctls that may forbid it: user.max_user_namespaces, "
        "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns. "
        "In a chroot the kernel never allows it.",
        resolution="Let the administrator allow it, or use sudo.",
    )
