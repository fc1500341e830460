"""Sizes, times and foreign text as people read them."""

from __future__ import annotations

import pytest

from crossbuild.wording import duration_text, moment_text, printable, size_text


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
    ("moment", "text"),
    [
        ("2026-11-21T15:06:03+00:00", "2026-11-21 15:06 UTC"),
        ("2026-11-21T15:06:03Z", "2026-11-21 15:06 UTC"),
        ("2026-11-21T17:06:03+02:00", "2026-11-21 15:06 UTC"),
        ("2026-11-21T17:06:03", "2026-11-21T17:06:03"),
        ("yesterday", "yesterday"),
        ("", ""),
    ],
)
def test_moments_are_told_in_one_time_zone(moment: str, text: str) -> None:
    assert moment_text(moment) == text
