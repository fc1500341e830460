from __future__ import annotations

import io
import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from crossbuild.cli.live import LiveProgress
from crossbuild.cli.progress import EVENT_NAMES, JsonProgress, PlainProgress, as_json, progress_for
from crossbuild.model.events import Booted, BuildFinished, Event, Log, Notice, PhaseStarted
from tests.unit.booting.records import RECORD

from .builds import BASE, PACKAGES, STARTED, finished, progress
from .terminal import FakeTerminal

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
REFERENCE = Path(__file__).parents[3] / "docs/reference/events.md"
EVENTS: tuple[Event, ...] = (
    STARTED,
    PhaseStarted(phase=BASE),
    progress(BASE, 1, 2),
    Log(phase="base", line="caf\udce9\n"),
    Notice(message="wait"),
    finished(BASE, 1.5),
    BuildFinished(name="compute", directory=Path("/out"), seconds=2, unchanged=True),
    Booted(record=RECORD),
)


def plain_lines(*events: tuple[float, Event]) -> list[str]:
    file, now = io.StringIO(), 0.0
    sink = PlainProgress(file, lambda: now)
    for now, event in events:  # noqa: B007 - the sink's clock reads it
        sink(event)
    return file.getvalue().splitlines()


def test_pipe_gets_a_line_for_each_phase() -> None:
    lines = plain_lines(
        (0, Notice(message="wait\nfor it")),
        (100, STARTED),
        (100, PhaseStarted(phase=BASE)),
        (101, Log(phase="base", line="chatter")),
        (131, finished(BASE, 31)),
        (131, PhaseStarted(phase=PACKAGES)),
        (131, finished(PACKAGES, 0.1, cached=True)),
        (190, BuildFinished(name="compute", directory=Path("/out"), seconds=90, unchanged=False)),
    )
    assert lines == [
        r"[   0:00] Note: wait\nfor it",
        "[   0:00] compute: 3 phases, log: /log",
        "[   0:00] Base system: started",
        "[   0:31] Base system: done in 31 s",
        "[   0:31] Packages: started",
        "[   0:31] Packages: kept from earlier",
        "[   1:30] compute: done in 1 min 30 s, /out",
    ]


def test_pipe_gets_few_lines_about_fast_work() -> None:
    fast = [(step / 100, progress(BASE, step, 100)) for step in range(101)]
    assert len(plain_lines((0, STARTED), (0, PhaseStarted(phase=BASE)), *fast)) == 2


def test_pipe_gets_a_line_for_each_tenth_of_slow_work() -> None:
    slow = [(step * 0.5, progress(BASE, step, 100, detail="bash")) for step in range(101)]
    lines = plain_lines((0, STARTED), (0, PhaseStarted(phase=BASE)), *slow)[2:]
    assert len(lines) == 10
    assert lines[0] == "[   0:05] Base system: 10 of 100 packages (10 %), bash"


def test_pipe_gets_a_line_every_ten_seconds_of_very_slow_work() -> None:
    slow = [(second, progress(BASE, 5, 0)) for second in range(61)]
    lines = plain_lines((0, STARTED), (0, PhaseStarted(phase=BASE)), *slow)[2:]
    assert len(lines) == 6
    assert lines[0] == "[   0:10] Base system: 5 packages"


def test_program_gets_one_object_for_each_event() -> None:
    file = io.StringIO()
    sink = JsonProgress(file, lambda: MOMENT)
    for event in EVENTS:
        sink(event)
    objects = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [found["event"] for found in objects] == list(EVENT_NAMES.values())
    assert {found["time"] for found in objects} == {"2026-01-02T03:04:05.678+00:00"}
    assert objects[1] | {"time": ""} == {
        "event": "phase-started",
        "time": "",
        "phase": "base",
        "title": "Base system",
        "estimate": 100,
    }
    assert objects[6]["directory"] == "/out"


def test_every_kind_of_event_has_a_name() -> None:
    assert set(EVENT_NAMES) == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_reference_lists_exactly_the_keys_of_an_event(event: Event) -> None:
    written = as_json(event, MOMENT)
    row = next(
        line for line in REFERENCE.read_text().splitlines() if line.startswith(f"| `{written['event']}` |")
    )
    keys = re.findall(r"`([^`]+)`", row.split("|")[2])
    assert keys == [key for key in written if key not in {"event", "time"}]


def test_who_listens_is_chosen_by_the_stream() -> None:
    assert isinstance(progress_for(json=False, stream=FakeTerminal()), LiveProgress)
    for as_json_, kind in ((True, JsonProgress), (False, PlainProgress)):
        chosen = progress_for(json=as_json_, stream=io.StringIO())
        assert isinstance(chosen, nullcontext)
        with chosen as sink:
            assert isinstance(sink, kind)


def test_json_goes_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json_ in (True, False):
        with progress_for(json=as_json_) as sink:
            sink(Notice(message="wait"))
    out, err = capsys.readouterr()
    assert json.loads(out)["message"] == "wait"
    assert err == "[   0:00] Note: wait\n"
