from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from crossbuild.cli import console
from crossbuild.errors import CrossbuildError
from crossbuild.model.architecture import Architecture

from .terminal import FakeTerminal

ROWS = [("vmlinuz", console.good("ok"), "12"), ("日本\n[red]", console.bad("damaged"), "12345")]


def test_table_in_a_pipe_has_aligned_whole_cells(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(("Name", "State", "Size"), ROWS, right={2})
    assert capsys.readouterr().out.splitlines() == [
        "Name         State     Size",
        "vmlinuz      ok          12",
        "日本\\n[red]  damaged  12345",
    ]


def stdout_terminal(monkeypatch: pytest.MonkeyPatch) -> FakeTerminal:
    """Set stdout for the rest of a test; a fixture could not, as pytest sets its own after all fixtures."""
    fake = FakeTerminal(columns=30)
    monkeypatch.setattr("sys.stdout", fake)
    monkeypatch.setenv("COLUMNS", "30")
    return fake


def test_table_on_a_terminal_folds_what_is_too_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = stdout_terminal(monkeypatch)
    console.table(("Name", "Reason"), [("a", "word " * 12)])
    assert max(map(len, stdout.rows)) <= 30
    assert " ".join(stdout.rows).count("word") == 12


@pytest.mark.parametrize(("no_color", "green"), [(None, True), ("1", False)])
def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch, no_color: str | None, green: bool) -> None:
    stdout = stdout_terminal(monkeypatch)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    console.line(console.good("fine"))
    assert stdout.rows[0] == "fine"
    assert ("\x1b[32m" in "".join(stdout.writes)) is green


def test_text_is_never_markup_and_never_steers(capsys: pytest.CaptureFixture[str]) -> None:
    console.line("[bold]", console.faint("\x1b[2J :smile:"), " http://x 12")
    assert capsys.readouterr().out == "[bold]\\x1b[2J :smile: http://x 12\n"


def test_note_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.note("waiting")
    assert capsys.readouterr() == ("", "waiting\n")


def test_error_has_three_parts_and_stays_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    resolution = "Run `crossbuild setup`. " * 8
    console.show_error(CrossbuildError("No handler.", details="first\n\x1b[31msecond", resolution=resolution))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Error: No handler.",
        "  first",
        "  second",
        f"What to do: {resolution.strip()}",
    ]


def test_error_without_details_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_error(CrossbuildError("No handler."))
    assert capsys.readouterr().err == "Error: No handler.\n"


def test_error_on_a_terminal_is_wrapped_between_words(
    monkeypatch: pytest.MonkeyPatch, terminal: FakeTerminal
) -> None:
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    terminal.columns = 40
    console.show_error(CrossbuildError("It failed.", resolution="Say `crossbuild build x.yaml`. " * 3))
    assert terminal.rows == [
        "Error: It failed.",
        "What to do: Say",
        "`crossbuild build x.yaml`. Say",
        "`crossbuild build x.yaml`. Say",
        "`crossbuild build x.yaml`.",
        "",
    ]


@dataclass(frozen=True, kw_only=True)
class Finding:
    path: PurePosixPath
    arch: Architecture
    value: bytes


def test_json_understands_values_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    found = Finding(path=PurePosixPath("/a\udce9"), arch=Architecture.AARCH64, value=b"\x01\xff")
    console.print_json({"found": (found,)})
    assert json.loads(capsys.readouterr().out) == {
        "found": [{"path": "/a\udce9", "arch": "aarch64", "value": "01ff"}]
    }


def test_json_refuses_what_it_cannot_say() -> None:
    with pytest.raises(TypeError, match="set"):
        console.print_json({"found": {1}})


def test_json_line_is_one_line() -> None:
    file = io.StringIO()
    console.print_json_line({"text": "a\nb"}, file)
    assert file.getvalue() == '{"text": "a\\nb"}\n'
