"""The text of a console as a terminal would show it: lines of runs, each with its colours.

Interpreted is what boot messages use: carriage return, backspace, tabulator, the erasing of lines, moves
within a line, and SGR (ECMA-48, 8.3.117; 256 and direct colours: ISO 8613-6). Other controls leave no trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

WIDEST = 400
"""Columns of a line; what runs on behind is cut off."""
_TAB = 8
_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # strings to the terminal, such as titles
    r"|\x1b[ -/]*[0-~]?"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
)
_BASIC = ((30, "fg"), (40, "bg"), (90, "fg"), (100, "bg"))
"""Where each run of eight colours begins, and what it colours."""


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks; a colour is 0 to 15, `#rrggbb`, or empty for the terminal's own."""

    fg: str = ""
    bg: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style within a line."""

    text: str
    style: Style


Line = tuple[Run, ...]
_PLAIN = Style()
_SWITCHES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"inverse": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"inverse": False},
}


def screen(text: str) -> list[Line]:
    """Return the lines of *text* as they look when all of it was shown."""
    style = _PLAIN
    lines = []
    for line in text.split("\n"):
        cells = _Cells(style)
        cells.show(line)
        style = cells.style
        lines.append(tuple(cells.runs()))
    while lines and not lines[-1]:
        lines.pop()
    return lines


class _Cells:
    """One line of a terminal, and its cursor."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._cells: list[tuple[str, Style]] = []
        self._column = 0

    def show(self, line: str) -> None:
        """Do what *line* says."""
        for match in _TOKEN.finditer(line):
            if text := match["text"]:
                self._write(text)
            elif control := match["control"]:
                self._control(control)
            elif final := match["final"]:
                self._sequence(final, _numbers(match["parameters"]))

    def runs(self) -> Iterator[Run]:
        """Yield what stands there, without the blanks at its end."""
        while self._cells and self._cells[-1] == (" ", _PLAIN):
            self._cells.pop()
        for style, cells in groupby(self._cells, key=lambda cell: cell[1]):
            yield Run("".join(text for text, _ in cells), style)

    def _write(self, text: str) -> None:
        text = text[: max(WIDEST - self._column, 0)]
        self._cells += [(" ", _PLAIN)] * (self._column - len(self._cells))
        self._cells[self._column : self._column + len(text)] = [(letter, self.style) for letter in text]
        self._column += len(text)

    def _control(self, control: str) -> None:
        match control:
            case "\r":
                self._column = 0
            case "\b":
                self._column = max(self._column - 1, 0)
            case "\t":
                self._column = min((self._column // _TAB + 1) * _TAB, WIDEST)

    def _sequence(self, final: str, numbers: Sequence[int]) -> None:
        number = numbers[0] if numbers else 0
        match final:
            case "m":
                self.style = _styled(self.style, numbers or [0])
            case "K":
                self._erase(number)
            case "C":
                self._column = min(self._column + max(number, 1), WIDEST)
            case "D":
                self._column = max(self._column - max(number, 1), 0)
            case "G":
                self._column = min(max(number, 1), WIDEST) - 1

    def _erase(self, part: int) -> None:
        """Erase from the cursor to the end (0), from the beginning to the cursor (1), or the line (2)."""
        first = self._column if part == 0 else 0
        last = self._column + 1 if part == 1 else len(self._cells)
        blanks = [(" ", _PLAIN)] * (min(last, len(self._cells)) - first)
        self._cells[first:last] = blanks


def _numbers(parameters: str) -> list[int]:
    """Return the parameters of a sequence; one that is left out, or no number, is 0."""
    fields = re.split("[;:]", parameters) if parameters else []
    return [int(field) if field.isdecimal() and len(field) < 6 else 0 for field in fields]


def _styled(style: Style, numbers: Sequence[int]) -> Style:
    pending = list(numbers)
    while pending:
        number = pending.pop(0)
        if number == 0:
            style = _PLAIN
        elif number in _SWITCHES:
            style = replace(style, **_SWITCHES[number])
        elif number in {38, 48}:
            style = _coloured(style, "fg" if number == 38 else "bg", _extended(pending))
        elif number in {39, 49}:
            style = _coloured(style, "fg" if number == 39 else "bg", "")
        else:
            style = _basic(style, number)
    return style


def _basic(style: Style, number: int) -> Style:
    for first, target in _BASIC:
        if first <= number < first + 8:
            return _coloured(style, target, str(number - first + (8 if first >= 90 else 0)))
    return style


def _coloured(style: Style, target: str, colour: str) -> Style:
    return replace(style, fg=colour) if target == "fg" else replace(style, bg=colour)


def _extended(pending: list[int]) -> str:
    """Take the parameters of an extended colour off *pending* and return it."""
    kinds: dict[int, tuple[int, Callable[[list[int]], str]]] = {5: (1, _indexed), 2: (3, _direct)}
    count, colour = kinds.get(pending.pop(0) if pending else 0, (0, lambda _: ""))
    taken = [min(number, 255) for number in pending[:count]]
    del pending[:count]
    return colour(taken) if len(taken) == count else ""


def _direct(rgb: list[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in rgb)


def _indexed(numbers: list[int]) -> str:
    """Return one of xterm's 256 colours: 16 named, a cube of 6 by 6 by 6, and 24 greys."""
    (number,) = numbers
    if number < 16:
        return str(number)
    if number >= 232:
        return _direct([8 + 10 * (number - 232)] * 3)
    steps = (0, 95, 135, 175, 215, 255)
    cube = number - 16
    return _direct([steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6]])
