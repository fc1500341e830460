from __future__ import annotations

import pytest

from crossbuild.cli.text import (
    clock_text,
    duration_text,
    log_line,
    printable,
    remaining_text,
    size_text,
    wrapped,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain [bold] text", "plain [bold] text", id="nothing to do"),
        pytest.param("größe 日本", "größe 日本", id="letters of any script"),
        pytest.param("a\nb\tc", r"a\nb\tc", id="newline and tab"),
        pytest.param("\x1b[31mred", r"\x1b[31mred", id="escape"),
        pytest.param("\x9b31m", r"\x9b31m", id="eight bit control"),
        pytest.param("abc\u202etxt", r"abc\u202etxt", id="change of direction"),
        pytest.param("caf\udce9", r"caf\xe9", id="a byte that is not UTF-8"),
    ],
)
def test_printable_text_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


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
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (3_400_000_000, "3.4 GB"),
        (5 * 10**12, "5.0 TB"),
    ],
)
def test_size_is_told_in_three_digits(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.9, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192, "3 min 12 s"),
        (3900, "1 h 05 min"),
    ],
)
def test_duration_is_told_in_words(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


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
