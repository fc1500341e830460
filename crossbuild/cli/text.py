"""Words and numbers for people at a terminal: pure functions from values to safe text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from crossbuild.wording import printable

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Terminal control sequences (ECMA-48: CSI, OSC and two-byte escapes)."""

_WORD_OR_COMMAND = re.compile(r"[^\s`]*`[^`]+`\S*|\S+")


def log_line(line: str) -> str:
    """Return a line of a program's output without its colours, its tabs widened, safe to show."""
    return printable(_ESCAPE_SEQUENCE.sub("", line).expandtabs(8).rstrip())


def place_text(path: Path, here: Path) -> str:
    """Return *path* as somebody in the folder *here* would type it: relative where it lies below."""
    if not path.is_relative_to(here):
        return str(path)
    near = str(path.relative_to(here))
    # Else a command would take it for an option.
    return f"./{near}" if near.startswith("-") else near


def clock_text(seconds: float) -> str:
    """Return a span of time as a clock shows it: `0:42`, `12:05`, `1:02:05`."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def remaining_text(seconds: float) -> str:
    """Return an estimate no finer than it can be: `about 40 s left`, `about 3 min left`."""
    if seconds < 8:
        return "a few seconds left"
    if seconds < 57:
        return f"about {max(10, 5 * round(seconds / 5))} s left"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"about {minutes} min left"
    return f"about {minutes // 60} h {minutes % 60:02} min left"


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield *text* in lines of at most *width*; what stands in backquotes stays whole, to be copied."""
    line = ""
    for match in _WORD_OR_COMMAND.finditer(text):
        word = match.group()
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield line
