"""Configuration files of Warewulf 3 (common/lib/Warewulf/Config.pm)."""

from __future__ import annotations

import re
from pathlib import Path

from crossbuild.errors import ProvisionerError

_ASSIGNMENT = re.compile(r"\s*(?P<key>[^#=+]+?)\s*(?P<add>\+?)=(?P<values>.*)")
_COMMENT = re.compile(r"(^|\s)#.*")


def read_configuration(sysconfdir: Path, name: str) -> dict[str, tuple[str, ...]]:
    """Return the values of each key of the file *name*, that of this user first; none without a file."""
    for path in (Path.home() / ".warewulf" / name, sysconfdir / "warewulf" / name):
        try:
            return parse(path.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ProvisionerError(
                f"{path} cannot be read.", details=str(error), resolution="Run the command as root."
            ) from error
    return {}


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """Return the values of each key: `=` sets, `+=` appends, commas separate, quotes go."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if match := _ASSIGNMENT.fullmatch(_COMMENT.sub("", line)):
            words = [word.strip(" \t\"'") for word in match["values"].split(",")]
            values = tuple(word for word in words if word)
            key = match["key"].lower()
            found[key] = (*found.get(key, ()), *values) if match["add"] else values
    return found
