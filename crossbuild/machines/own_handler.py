"""A user namespace in which binfmt_misc has a table of its own, and in which every id stays what it is.

Since Linux 6.7 a table belongs to a user namespace (Documentation/admin-guide/binfmt-misc.rst).
It imports the standard library only, since the first program of a sandbox uses it.
"""

from __future__ import annotations

import os
from pathlib import Path

from crossbuild.host.mounts import CLONE_NEWNS, CLONE_NEWUSER, MS_PRIVATE, MS_REC, mount, separate

TABLE = "/proc/sys/fs/binfmt_misc"
MAPS = ("uid_map", "gid_map")


def take_own_handler(line: str) -> None:
    """Move this process, which is root, into such a namespace and register the handler *line* there.

    It must have no threads. Raises OSError.
    """
    maps = {name: _identity(Path("/proc/self", name).read_text(encoding="ascii")) for name in MAPS}
    moved, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _map_parent(maps, moved, mapped)
    os.close(mapped[1])
    separate(CLONE_NEWUSER | CLONE_NEWNS)
    os.write(moved[1], b"+")
    done = os.read(mapped[0], 1)
    os.waitpid(child, 0)
    for descriptor in (*moved, mapped[0]):
        os.close(descriptor)
    if not done:
        raise PermissionError(1, "ids cannot be mapped", "user namespace")
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount("binfmt_misc", TABLE, "binfmt_misc", 0)
    Path(TABLE, "register").write_text(line, encoding="ascii")


def _identity(text: str) -> str:
    """Return a map in which each id of the present namespace (user_namespaces(7)) stays what it is."""
    rows = (line.split() for line in text.splitlines())
    return "".join(f"{inside} {inside} {count}\n" for inside, _, count in rows)


def _map_parent(maps: dict[str, str], moved: tuple[int, int], mapped: tuple[int, int]) -> None:
    """Write *maps* for the parent once it has moved: only from outside may they hold more than one id."""
    try:
        os.close(moved[1])
        if os.read(moved[0], 1):
            for name, text in maps.items():
                Path("/proc", str(os.getppid()), name).write_text(text, encoding="ascii")
            os.write(mapped[1], b"+")
    finally:
        os._exit(0)
