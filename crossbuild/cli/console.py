"""The only door to the terminal: results on stdout, messages on stderr, colour where a person looks.

Every string is shown as it is: rich's markup is off, and control characters appear as escapes.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crossbuild.cli.text import log_line, place_text, wrapped
from crossbuild.errors import CrossbuildError
from crossbuild.wording import printable

PROSE_WIDTH = 100
"""Columns beyond which a sentence is hard to read."""


class Tone(enum.Enum):
    """What a piece of text means to the reader; each has a look, and says its meaning in words too."""

    PLAIN = ""
    GOOD = "green"
    WARNING = "yellow"
    BAD = "bold red"
    STRONG = "bold"
    FAINT = "dim"


@dataclass(frozen=True, kw_only=True)
class Span:
    """Text in one tone."""

    text: str
    tone: Tone


Line = Sequence[str | Span]


def near(path: Path) -> str:
    """Return *path* as one would type it where this process was started."""
    try:
        return place_text(path, Path.cwd())
    except FileNotFoundError:  # the folder has gone
        return str(path)


def good(text: str) -> Span:
    """Return *text* as something that is as it should be."""
    return Span(text=text, tone=Tone.GOOD)


def warning(text: str) -> Span:
    """Return *text* as something to look at."""
    return Span(text=text, tone=Tone.WARNING)


def bad(text: str) -> Span:
    """Return *text* as something that is wrong."""
    return Span(text=text, tone=Tone.BAD)


def strong(text: str) -> Span:
    """Return *text* as a heading."""
    return Span(text=text, tone=Tone.STRONG)


def faint(text: str) -> Span:
    """Return *text* as background."""
    return Span(text=text, tone=Tone.FAINT)


def line(*parts: str | Span) -> None:
    """Print one line of a result to stdout."""
    _print(sys.stdout, parts)


def note(*parts: str | Span) -> None:
    """Print one line for the person at the terminal to stderr."""
    _print(sys.stderr, parts)


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str | Span]], *, right: Collection[int] = ()
) -> None:
    """Print *rows* to stdout; the columns numbered in *right* hold figures.

    A terminal gets cells folded to its width, a pipe gets whole cells in aligned columns.
    """
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        console.print(_rich_table(headers, rows, right))
    else:
        sys.stdout.writelines(f"{row}\n" for row in _aligned([headers, *rows], right))


def print_json(value: object) -> None:
    """Print *value* to stdout as one indented JSON document; dataclasses and paths are understood."""
    sys.stdout.write(f"{json.dumps(value, indent=2, default=jsonable)}\n")


def print_json_line(value: object, file: TextIO | None = None) -> None:
    """Print *value* as JSON on one line of *file*, stdout by default, and flush it."""
    target = file or sys.stdout
    target.write(f"{json.dumps(value, default=jsonable)}\n")
    target.flush()


def show_error(error: CrossbuildError) -> None:
    """Print the three parts of *error* to stderr."""
    _labelled(bad("Error:"), error.brief)
    for text in error.details.splitlines():
        note(f"  {log_line(text)}")
    if error.resolution:
        _labelled(strong("What to do:"), error.resolution)


def jsonable(value: object) -> object:
    """Return what JSON has no word for in a form that it has: for `json.dumps(default=…)`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, PurePath):
        return os.fspath(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def text_of(parts: Line) -> Text:
    """Return *parts* for rich, with nothing in them that could steer the terminal."""
    pieces = (Span(text=part, tone=Tone.PLAIN) if isinstance(part, str) else part for part in parts)
    return Text.assemble(*((printable(piece.text), piece.tone.value) for piece in pieces))


def _print(file: TextIO, parts: Line) -> None:
    Console(file=file, highlight=False).print(text_of(parts), soft_wrap=True)


def _labelled(label: Span, text: str) -> None:
    console = Console(file=sys.stderr)
    # Wrapped where a person reads; whole in a pipe, where `grep` reads.
    width = min(console.width, PROSE_WIDTH) if console.is_terminal else sys.maxsize
    paragraphs = f"{label.text} {text}".splitlines()
    first, *rest = (row for paragraph in paragraphs for row in wrapped(paragraph, width))
    note(label, first.removeprefix(label.text))
    for row in rest:
        note(row)


def _rich_table(
    headers: Sequence[str], rows: Sequence[Sequence[str | Span]], right: Collection[int]
) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=Tone.STRONG.value)
    for number, header in enumerate(headers):
        grid.add_column(text_of([header]), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(text_of([cell]) for cell in row))
    return grid


def _aligned(rows: Sequence[Sequence[str | Span]], right: Collection[int]) -> Iterator[str]:
    texts = [[text_of([cell]).plain for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if number in right else cell + gap)
        yield "  ".join(cells).rstrip()
