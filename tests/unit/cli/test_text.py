from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.cli.text import (
    clock_text,
    log_line,
    place_text,
    remaining_text,
    wrapped,
)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("\x1b[1;32mok\x1b[0m  ", "ok"),
        ("\x1b]0;title\x07done", "done"),
        ("a\tb", "a       b"),
        ("half \x1b", r"half \x1b"),
    ],
)
def test_log_line_loses_colours_and_keeps_words(line: str, shown: str) -> None:
    assert log_line(line) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/a/out/node", "out/node"),
        ("/home/a", "."),
        ("/home/abc/out", "/home/abc/out"),
        ("/home", "/home"),
        ("/home/a/-x/node", "./-x/node"),
        ("/home/a/a b", "a b"),
    ],
)
def test_a_place_is_named_as_one_would_type_it_there(path: str, shown: str) -> None:
    assert place_text(Path(path), Path("/home/a")) == shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (725, "12:05"), (3725, "1:02:05")]
)
def test_clock_counts_whole_seconds(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "a few seconds left"),
        (8, "about 10 s left"),
        (41, "about 40 s left"),
        (58, "about 1 min left"),
        (170, "about 3 min left"),
        (3600, "about 1 h 00 min left"),
    ],
)
def test_estimate_is_not_finer_than_it_can_be(seconds: float, text: str) -> None:
    assert remaining_text(seconds) == text


def test_wrapped_text_never_breaks_a_command() -> None:
    text = "Install it with `apt install qemu-user-static`, then go on."
    assert list(wrapped(text, 20)) == ["Install it with", "`apt install qemu-user-static`,", "then go on."]


def test_wrapped_text_keeps_a_lone_backquote() -> None:
    assert list(wrapped("a ` b", 80)) == ["a ` b"]
