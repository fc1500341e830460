"""Who listens to a build: a person at a terminal, a person's log file, or a program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import TextIO, assert_never

from crossbuild.cli.console import near, print_json_line
from crossbuild.cli.live import LiveProgress
from crossbuild.cli.picture import amount
from crossbuild.cli.screen import is_screen
from crossbuild.cli.text import clock_text
from crossbuild.cli.tracker import Tracker
from crossbuild.model.events import (
    Booted,
    BuildFinished,
    BuildStarted,
    Event,
    EventSink,
    Log,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    Progress,
)
from crossbuild.wording import duration_text, printable

LINE_SECONDS = 10.0
"""A pipe gets a line about a phase's progress this often, when there is any."""
STEP_SECONDS = 2.0
"""It gets one for each tenth of the work too, but not more often than this."""

EVENT_NAMES: Mapping[type[Event], str] = {
    BuildStarted: "build-started",
    PhaseStarted: "phase-started",
    Progress: "progress",
    Log: "log",
    Notice: "notice",
    PhaseFinished: "phase-finished",
    BuildFinished: "build-finished",
    Booted: "booted",
}
"""How JSON lines name the events."""


def progress_for(*, json: bool, stream: TextIO | None = None) -> AbstractContextManager[EventSink]:
    """Return what shows a build's events on *stream*: JSON lines, a live picture, or plain lines.

    By default JSON goes to stdout, where programs read, and everything else to stderr.
    """
    stream = stream or (sys.stdout if json else sys.stderr)
    if json:
        return nullcontext(JsonProgress(stream))
    return LiveProgress(stream) if is_screen(stream) else nullcontext(PlainProgress(stream))


class PlainProgress:
    """An event sink that writes lines, each begun with the time since the build's start."""

    def __init__(self, file: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._tracker: Tracker | None = None
        self._said_at = 0.0
        self._said_tenth = 0

    def __call__(self, event: Event) -> None:
        """Write what a reader of the lines should know of *event*."""
        now = self._clock()
        if isinstance(event, BuildStarted):
            self._tracker = Tracker(event, now)
        if text := self._text(event, now):
            elapsed = clock_text(now - self._tracker.began) if self._tracker else clock_text(0)
            self._file.write(f"[{elapsed:>7}] {printable(text)}\n")
            self._file.flush()
        if self._tracker:
            self._tracker.accept(event, now)

    def _text(self, event: Event, now: float) -> str:
        match event:
            case BuildStarted():
                text = f"{event.name}: {len(event.phases)} phases, log: {event.log}"
            case PhaseStarted():
                self._said_at, self._said_tenth = now, 0
                text = f"{event.phase.title}: started"
            case Progress():
                text = self._progress_text(event, now)
            case PhaseFinished():
                result = "kept from earlier" if event.cached else f"done in {duration_text(event.seconds)}"
                text = f"{self._title(event.phase)}: {result}"
            case Notice():
                text = f"Note: {event.message}"
            case BuildFinished():
                result = "unchanged" if event.unchanged else "done"
                text = f"{event.name}: {result} in {duration_text(event.seconds)}, {near(event.directory)}"
            case Log() | Booted():
                text = ""
            case _:
                assert_never(event)
        return text

    def _progress_text(self, event: Progress, now: float) -> str:
        silent = now - self._said_at
        tenth = event.done * 10 // event.total if event.total > 0 else 0
        if silent < LINE_SECONDS and (tenth <= self._said_tenth or silent < STEP_SECONDS):
            return ""
        self._said_at, self._said_tenth = now, tenth
        share = f" ({event.done * 100 // event.total} %)" if event.total > 0 else ""
        return f"{self._title(event.phase)}: {amount(event)}{share}, {event.detail}".removesuffix(", ")

    def _title(self, key: str) -> str:
        phases = self._tracker.started.phases if self._tracker else ()
        return next((phase.title for phase in phases if phase.key == key), key)


class JsonProgress:
    """An event sink that writes each event as one JSON object on one line (docs/reference/events.md)."""

    def __init__(self, file: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file = file
        self._now = now

    def __call__(self, event: Event) -> None:
        """Write *event* with the present time."""
        print_json_line(as_json(event, self._now()), self._file)


def as_json(event: Event, moment: datetime) -> dict[str, object]:
    """Return *event* in the form that docs/reference/events.md promises to programs."""
    match event:
        case BuildStarted():
            body = {**vars(event), "phases": [_described(phase) for phase in event.phases]}
        case PhaseStarted():
            body = _described(event.phase)
        case _:
            body = vars(event)
    return {"event": EVENT_NAMES[type(event)], "time": moment.isoformat(timespec="milliseconds"), **body}


def _described(phase: Phase) -> dict[str, object]:
    return {"phase": phase.key, "title": phase.title, "estimate": phase.estimate}
