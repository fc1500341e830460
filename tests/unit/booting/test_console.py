"""The console's bytes: kept whole, and read as lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.booting.console import LONGEST, Console, plain


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            b"[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mtimers\x1b[0m.\r",
            "[  OK  ] Reached target timers.",
        ),
        (b"\x1b[?25l\x07bell and \xff", "bell and \ufffd"),
        (b"", ""),
    ],
)
def test_a_line_loses_all_that_steers_a_terminal(line: bytes, text: str) -> None:
    assert plain(line) == text


def said(tmp_path: Path, content: bytes) -> tuple[list[str], bytes]:
    reading, writing = os.pipe()
    shown: list[bytes] = []
    console = Console(os.fdopen(reading, "rb", buffering=0), tmp_path / "log", shown.append)
    os.write(writing, content)
    os.close(writing)
    lines = []
    while (line := console.line(10)) is not None:
        lines.append(line[1])
    console.join()
    assert (tmp_path / "log").read_bytes() == content
    return lines, b"".join(shown)


def test_everything_is_kept_shown_and_cut_into_lines(tmp_path: Path) -> None:
    assert said(tmp_path, b"one\r\n\x1b[1mtwo\nlogin: ") == (
        ["one", "two", "login:"],
        b"one\r\n\x1b[1mtwo\nlogin: ",
    )


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    lines, _ = said(tmp_path, b"x" * (3 * LONGEST))
    assert "".join(lines) == "x" * (3 * LONGEST)


@pytest.mark.parametrize("said", [b"", b"and on and on\n" * 100])
def test_a_machine_is_not_heard_for_longer_than_its_time(tmp_path: Path, said: bytes) -> None:
    reading, writing = os.pipe()
    console = Console(os.fdopen(reading, "rb", buffering=0), tmp_path / "log")
    os.write(writing, said)
    with pytest.raises(TimeoutError):
        console.line(0)
    os.close(writing)
    console.join()
