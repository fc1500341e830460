from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from crossbuild.cli.fleet import FleetView, build_fleet
from crossbuild.errors import CrossbuildError
from crossbuild.host.command import stream_all

STARTED = {"event": "build-started", "phases": [{"phase": "base", "title": "Base system"}]}
BASE = {"event": "phase-started", "phase": "base", "title": "Base system"}
FINISHED = {"event": "build-finished", "unchanged": False, "directory": "/out/a"}
ERROR = {
    "error": {"brief": "The disk is full.", "details": "arm1", "resolution": "Free some.", "exit_code": 1}
}


def saying(*events: dict[str, Any], status: int = 0) -> list[str]:
    """Return a program that says *events* and ends with *status*."""
    text = "".join(f"{json.dumps(event)}\n" for event in events)
    return [sys.executable, "-c", f"import sys; sys.stdout.write({text!r}); sys.exit({status})"]


def test_every_build_is_told_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    build_fleet(["a", "b"], [saying(STARTED, BASE, FINISHED), saying(FINISHED)], as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in told if event["build"] == "a"] == [
        "build-started",
        "phase-started",
        "build-finished",
    ]
    assert [event["event"] for event in told if event["build"] == "b"] == ["build-finished"]


def test_one_that_fails_fails_the_fleet_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CrossbuildError, match="1 of 2 builds failed") as caught:
        build_fleet(["a", "b"], [saying(ERROR, status=4), saying(FINISHED)], as_json=False)
    assert caught.value.exit_code == 4
    assert "a: The disk is full.\n  arm1\n  Free some." in caught.value.details
    assert "b: done, /out/a" in capsys.readouterr().err


def test_one_that_dies_without_a_word_fails_too() -> None:
    with pytest.raises(CrossbuildError) as caught:
        build_fleet(["a"], [[sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]], as_json=False)
    assert caught.value.exit_code == 1
    assert "without a word" in caught.value.details


def test_lines_say_what_changes_and_no_more() -> None:
    out = io.StringIO()
    view = FleetView(["a"], out, lambda: 0.0)
    for event in (STARTED, BASE, {"event": "log", "phase": "base", "line": "x"}, FINISHED):
        view.accept(0, event)
    assert out.getvalue() == "a: Base system\na: done, /out/a\n"


def test_all_programs_run_and_no_more_than_so_many_at_a_time() -> None:
    heard: list[tuple[int, str]] = []
    programs = [saying({"number": number}, status=number) for number in range(5)]
    statuses = stream_all(programs, at_once=2, on_line=lambda number, line: heard.append((number, line)))
    assert statuses == (0, 1, 2, 3, 4)
    assert sorted(heard) == [(number, json.dumps({"number": number})) for number in range(5)]


def test_what_still_runs_is_ended_where_somebody_gives_up() -> None:
    waiting = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]

    def give_up(_number: int, _line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream_all([waiting, waiting], at_once=2, on_line=give_up)


def test_a_last_line_without_an_end_is_a_line() -> None:
    heard: list[str] = []
    stream_all([["printf", "a\\nb"]], at_once=1, on_line=lambda _, line: heard.append(line))
    assert heard == ["a", "b"]
