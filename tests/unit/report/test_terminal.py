"""Console text as a terminal shows it."""

from __future__ import annotations

import pytest

from crossbuild.report.terminal import WIDEST, Run, Style, screen

PLAIN = Style()


def shown(text: str) -> str:
    return "\n".join("".join(run.text for run in line) for line in screen(text))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("one\r\ntwo\r\n", "one\ntwo", id="lines of a serial port"),
        pytest.param("10 %\r100 %", "100 %", id="carriage return"),
        pytest.param("abcdef\rXY", "XYcdef", id="writing over"),
        pytest.param("abcdef\r\x1b[K", "", id="erased to the end"),
        pytest.param("abcdef\x1b[3D\x1b[1K", "    ef", id="erased to the cursor"),
        pytest.param("abc\x1b[2KX", "   X", id="erased wholly"),
        pytest.param("abc\b\bX", "aXc", id="backspace"),
        pytest.param("a\tb", "a       b", id="tabulator"),
        pytest.param("a\x1b[5Gb\x1b[2Cc", "a   b  c", id="moves"),
        pytest.param("\x1b[2J\x1b[01;01H\x1b[=3hGRUB", "GRUB", id="what only a screen knows"),
        pytest.param("\x1b]0;title\x07done", "done", id="title"),
        pytest.param("\x1b(Bdone\x1b", "done", id="character sets, and an escape at the end"),
        pytest.param("a\x00\x07b\x9b", "ab", id="other controls"),
        pytest.param("\n\n", "", id="nothing"),
    ],
)
def test_controls_do_what_they_say(text: str, seen: str) -> None:
    assert shown(text) == seen


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        pytest.param("31", Style(fg="1"), id="red"),
        pytest.param("1;92", Style(fg="10", bold=True), id="bold and bright"),
        pytest.param("44;97", Style(fg="15", bg="4"), id="background"),
        pytest.param("38;5;9", Style(fg="9"), id="one of 16 by its index"),
        pytest.param("38;5;196", Style(fg="#ff0000"), id="one of the cube"),
        pytest.param("38;5;244", Style(fg="#808080"), id="a grey"),
        pytest.param("48;2;1;2;300", Style(bg="#0102ff"), id="direct"),
        pytest.param("38:2:1:2:3", Style(fg="#010203"), id="with colons"),
        pytest.param("38;5", PLAIN, id="cut off"),
        pytest.param("31;39", PLAIN, id="back to the default"),
        pytest.param("1;2;22", PLAIN, id="weight back to normal"),
        pytest.param("31;0", PLAIN, id="reset"),
        pytest.param("31;", PLAIN, id="a parameter left out is a reset"),
        pytest.param("3;4;7", Style(italic=True, underline=True, inverse=True), id="the others"),
        pytest.param("999999999999;33", Style(fg="3"), id="a number without end"),
    ],
)
def test_colours_are_those_that_were_asked_for(codes: str, style: Style) -> None:
    assert screen(f"\x1b[{codes}mx") == [(Run("x", style),)]


def test_a_style_lasts_until_it_is_changed() -> None:
    red = Style(fg="1")
    assert screen("a\x1b[31mb\nc\x1b[md") == [
        (Run("a", PLAIN), Run("b", red)),
        (Run("c", red), Run("d", PLAIN)),
    ]


def test_a_line_without_end_is_cut_off() -> None:
    assert len(shown("x" * 10 * WIDEST)) == WIDEST
    assert len(shown(f"\x1b[99999Cx{'y' * 9}")) <= WIDEST
    assert len(shown("\t" * WIDEST + "z")) <= WIDEST


def test_markup_is_text() -> None:
    assert shown("<b>&amp;</b>") == "<b>&amp;</b>"
