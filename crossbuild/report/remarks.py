"""What verification remarked of an image that it let pass, from `build.log`."""

from __future__ import annotations

import re
from pathlib import Path

from crossbuild.report.bars import PHASES

_LINE = re.compile(r" *\d+\.\d{3} (?P<text>.*)")
"""Seconds since the build began, and what was printed; a phase begins with `== ` and its name."""
_PHASE = "== "


def remarks_of(directory: Path) -> tuple[str, ...]:
    """Return the remarks in the log of the set in *directory*, none where there is no log."""
    found: list[str] = []
    within = False
    try:
        with (directory / "build.log").open(encoding="utf-8", errors="replace") as log:
            for match in map(_LINE.fullmatch, map(str.rstrip, log)):
                text = match["text"] if match else ""
                if text.startswith(_PHASE):
                    within = text == f"{_PHASE}{PHASES['verification']}"
                elif within and text:
                    found.append(text)
    except OSError:
        return ()
    return tuple(found)
