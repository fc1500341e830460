"""Rules for make that say which files a target depends on (GNU make manual, 4.2 "Rule Syntax")."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from crossbuild.errors import UsageError

# Found by trying each character in GNU make 4.3: no way of quoting makes it take these.
UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f%;=|&\\()]")
QUOTED = re.compile(r"[ #:*?\[]")


def make_rules(target: Path, prerequisites: Sequence[Path]) -> str:
    """Return a rule without commands for *target*, and an empty one for each of *prerequisites*.

    Without an empty rule make would refuse to go on once a prerequisite is deleted; with it, make rebuilds
    the target. Raises UsageError for a name that no Makefile can hold.
    """
    names = [_name(path) for path in prerequisites]
    lines = [f"{_name(target)}: \\", *(f"  {name} \\" for name in names), "", *(f"{name}:" for name in names)]
    return "\n".join(lines) + "\n"


def _name(path: Path) -> str:
    name = os.fspath(path)
    if found := UNSPEAKABLE.search(name):
        raise UsageError(
            "The name of a file cannot be written for make.",
            details=f"{name!r} has the character {found[0]!r}",
            resolution="Rename it, or build without --depfile.",
        )
    return QUOTED.sub(r"\\\g<0>", name).replace("$", "$$")
