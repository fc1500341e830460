"""A block of lines at the end of a terminal's output, painted over in place."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console

from crossbuild.cli.console import Line, text_of

# Control functions of ECMA-48 and of DEC's VT220 (cursor visibility), which every terminal emulator knows.
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"
_UP = "\x1b[{}A"

FALLBACK_SIZE = os.terminal_size((80, 24))


class Screen:
    """The lines that were painted last on *file*, a terminal.

    The cursor is hidden only within one write, so that a process which is killed never leaves it hidden.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._widths: list[int] = []

    @property
    def draws(self) -> bool:
        """Whether it shows more than ASCII: the kernel's own console has a font of few characters."""
        encoding = getattr(self._file, "encoding", None) or "ascii"
        return encoding.lower().replace("-", "") == "utf8" and os.environ.get("TERM") != "linux"

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines at this moment."""
        try:
            size = os.get_terminal_size(self._file.fileno())
        except (OSError, ValueError):
            return FALLBACK_SIZE
        # A serial console knows no size and says 0.
        return size if size.columns and size.lines else FALLBACK_SIZE

    def paint(self, lines: Sequence[Line], *, most: int) -> None:
        """Put *lines*, cropped to the terminal and to *most* columns, where the last ones were."""
        columns = self.size.columns
        texts = [text_of(line) for line in lines]
        for text in texts:
            # The last column stays free: a full line would make some terminals wrap and some not.
            text.truncate(min(columns, most) - 1, overflow="ellipsis" if self.draws else "crop")
        canvas = io.StringIO()
        console = Console(file=canvas, force_terminal=True, width=columns, highlight=False)
        for text in texts:
            console.print(text, soft_wrap=True, end=f"{_ERASE_LINE}\n")
        self._write(self._home(columns) + canvas.getvalue() + _ERASE_BELOW)
        self._widths = [text.cell_len for text in texts]

    def above(self, line: Line) -> None:
        """Print *line*, to stay, where the block was; the next `paint` puts the block below it."""
        columns = self.size.columns
        canvas = io.StringIO()
        Console(file=canvas, force_terminal=True, width=columns, highlight=False).print(
            text_of(line), soft_wrap=True
        )
        self._write(self._home(columns) + _ERASE_BELOW + canvas.getvalue())
        self._widths = []

    def leave(self) -> None:
        """Let the block stay as it is; what comes next is printed below it."""
        self._widths = []

    def _home(self, columns: int) -> str:
        """Return what moves the cursor to the block's first line, also after the window got narrower.

        Terminals then break each line that no longer fits into several.
        """
        rows = sum(max(1, -(-width // columns)) for width in self._widths)
        return "\r" + (_UP.format(rows) if rows else "")

    def _write(self, sequence: str) -> None:
        self._file.write(_HIDE_CURSOR + sequence + _SHOW_CURSOR)
        self._file.flush()


def is_screen(file: TextIO) -> bool:
    """Tell whether *file* is a terminal whose cursor can be moved."""
    return file.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
