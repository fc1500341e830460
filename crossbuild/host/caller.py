"""Who started this process, also where it has become root of a private namespace since.

Programs that act for that user must not take him for root: ssh looks for keys in the home that the user
database has for its own id, and Slurm's commands tell the controller that id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

_outside: tuple[int, int] | None = None
"""Ids of user and group out of the namespace; None where this process is in none of crossbuild's own."""


def note_namespace(user: int, group: int) -> None:
    """Note that this process has just become root of a private namespace, and which ids it had before."""
    global _outside  # noqa: PLW0603 - what a process is in the eyes of the kernel is one for all of it, too
    _outside = (user, group)


def user_id() -> int:
    """Return the id that the user has on this host."""
    return _outside[0] if _outside else os.geteuid()


def as_caller(argv: Sequence[str]) -> list[str]:
    """Return the command line that runs *argv* with the user's own ids, in a namespace in the private one.

    util-linux has `--map-user` since 2.36.
    """
    if _outside is None:
        return [*argv]
    user, group = _outside
    return ["unshare", "--user", f"--map-user={user}", f"--map-group={group}", "--", *argv]
