"""A terminal that exists only in memory: what a person would see, also after the window was resized."""

from __future__ import annotations

import io
import os
import re

_TOKEN = re.compile(r"\x1b\[(?P<args>[?\d;]*)(?P<final>[A-Za-z])|(?P<text>[^\x1b])", re.DOTALL)


class FakeTerminal(io.StringIO):
    """Understands what crossbuild writes: CR, LF, cursor up, both erasures, colours; it breaks long lines."""

    encoding = "utf-8"

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        super().__init__()
        self.columns, self.lines = columns, lines
        self.rows: list[str] = [""]
        self.wrapped: list[bool] = [False]
        """Whether a row goes on in the next one."""
        self.row = self.column = 0
        self.cursor_shown = True
        self.writes: list[str] = []

    @property
    def size(self) -> os.terminal_size:
        return os.terminal_size((self.columns, self.lines))

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.writes.append(text)
        for match in _TOKEN.finditer(text):
            if match["text"]:
                self._put(match["text"])
            else:
                self._control(match["args"], match["final"])
        return len(text)

    def resize(self, columns: int) -> None:
        """Break the rows anew, as terminals do; the cursor stays at its character."""
        logical: list[str] = [""]
        cursor = 0
        for number, (text, goes_on) in enumerate(zip(self.rows, self.wrapped, strict=True)):
            if number == self.row:
                cursor = len(logical) - 1
            logical[-1] += text
            if not goes_on:
                logical.append("")
        self.columns, self.rows, self.wrapped = columns, [], []
        for number, line in enumerate(logical[:-1]):
            if number == cursor:
                self.row = len(self.rows)
            pieces = [line[i : i + columns] for i in range(0, len(line), columns)] or [""]
            self.rows += pieces
            self.wrapped += [True] * (len(pieces) - 1) + [False]

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._next_row(goes_on=False)
        else:
            if self.column == self.columns:
                self._next_row(goes_on=True)
            row = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = row[: self.column] + character + row[self.column + 1 :]
            self.column += 1

    def _next_row(self, *, goes_on: bool) -> None:
        self.wrapped[self.row] = goes_on
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.rows):
            self.rows.append("")
            self.wrapped.append(False)

    def _control(self, args: str, final: str) -> None:
        match final, args:
            case "A", _:
                self.row = max(0, self.row - int(args or 1))
            case "K", _:
                self.rows[self.row] = self.rows[self.row][: self.column]
            case "J", _:
                self.rows[self.row] = self.rows[self.row][: self.column]
                del self.rows[self.row + 1 :], self.wrapped[self.row + 1 :]
            case (("h" | "l"), "?25"):
                self.cursor_shown = final == "h"
            case "m", _:
                pass
            case _:
                raise AssertionError(f"this terminal does not know ESC [ {args} {final}")
