from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from crossbuild.cli.screen import FALLBACK_SIZE, Screen, is_screen

from .terminal import FakeTerminal


def shown(terminal: FakeTerminal) -> list[str]:
    return [row.rstrip() for row in terminal.rows if row.strip()]


def test_a_picture_is_painted_over_the_one_before(terminal: FakeTerminal) -> None:
    screen = Screen(terminal)
    terminal.write("$ before\n")
    screen.paint([["one long row"], ["two"], ["three"]], most=80)
    screen.paint([["one"], ["2"]], most=80)
    assert shown(terminal) == ["$ before", "one", "2"]


def test_what_is_said_above_stays(terminal: FakeTerminal) -> None:
    screen = Screen(terminal)
    screen.paint([["working"]], most=80)
    screen.above(["Note: waiting"])
    screen.paint([["working on"]], most=80)
    screen.leave()
    screen.paint([["the next block"]], most=80)
    assert shown(terminal) == ["Note: waiting", "working on", "the next block"]


@pytest.mark.parametrize("columns", [20, 30, 39, 79, 200])
def test_a_window_of_another_width_keeps_no_remains(terminal: FakeTerminal, columns: int) -> None:
    screen = Screen(terminal)
    lines = [["x" * 38], ["short"], ["y" * 60], ["z" * 100]]
    terminal.write("$ before\n")
    screen.paint(lines, most=80)
    terminal.resize(columns)
    screen.paint(lines, most=80)
    rows = shown(terminal)
    assert len(rows) == 1 + len(lines)
    assert max(map(len, rows)) < min(columns, 80)


def test_no_line_is_wider_than_it_may_be(terminal: FakeTerminal) -> None:
    terminal.columns = 200
    Screen(terminal).paint([["日" * 100]], most=80)
    assert terminal.rows[0].startswith("日" * 39)
    assert "日" * 40 not in terminal.rows[0]


def test_cursor_is_hidden_only_within_a_write(terminal: FakeTerminal) -> None:
    screen = Screen(terminal)
    screen.paint([["one"]], most=80)
    screen.above(["two"])
    for text in terminal.writes:
        assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
        assert text.endswith("\x1b[?25h")
    assert terminal.cursor_shown


def test_text_cannot_steer_the_screen(terminal: FakeTerminal) -> None:
    Screen(terminal).paint([["a\x1b[2J\nb"]], most=80)
    assert shown(terminal) == [r"a\x1b[2J\nb"]


@pytest.mark.parametrize(
    ("encoding", "term", "draws"),
    [
        ("utf-8", "xterm", True),
        ("UTF8", "xterm", True),
        ("iso-8859-1", "xterm", False),
        ("utf-8", "linux", False),
    ],
)
def test_only_capable_terminals_get_more_than_ascii(
    terminal: FakeTerminal, monkeypatch: pytest.MonkeyPatch, encoding: str, term: str, draws: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    terminal.encoding = encoding
    assert Screen(terminal).draws is draws


def test_size_of_what_has_none_is_the_usual_one() -> None:
    assert Screen(io.StringIO()).size == FALLBACK_SIZE


def test_size_of_a_serial_console_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((0, 0)))
    with Path(os.devnull).open() as file:
        assert Screen(file).size == FALLBACK_SIZE


@pytest.mark.parametrize(("term", "expected"), [("xterm", True), ("dumb", False), ("", False)])
def test_a_dumb_terminal_is_no_screen(
    terminal: FakeTerminal, monkeypatch: pytest.MonkeyPatch, term: str, expected: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    assert is_screen(terminal) is expected
    assert not is_screen(io.StringIO())
