"""Tells the world what a build is doing: events for the front end, a full log, a timeline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, assert_never

from crossbuild.acceleration.times import ProgramUse
from crossbuild.errors import CommandFailedError, CrossbuildError
from crossbuild.host.timings import Timings
from crossbuild.model.artifact import EmulatorCrash
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


class Narrator:
    """Reports one build; every phase runs inside `phase`."""

    def __init__(self, name: str, on_event: EventSink, timings: Timings, log: TextIO, log_path: Path) -> None:
        """*log* receives every line of output, and *log_path* is where a person finds it."""
        self._name, self._on_event, self._timings = name, on_event, timings
        self._log = log
        self.log_path = log_path
        self._current = Phase(key="", title="", estimate=0.0)
        self._phases: dict[str, Phase] = {}
        self._began = time.monotonic()
        self.timeline: list[dict[str, object]] = []
        self.programs: tuple[ProgramUse, ...] = ()
        """Programs of the root that ran, where they were counted."""
        self.crash: EmulatorCrash | None = None
        """What made a second try necessary."""
        self.explain: Callable[[CommandFailedError], CrossbuildError] = lambda error: error
        """Puts into words why a program failed, as soon as it is known whose output that is."""

    def begin(self, phases: tuple[tuple[str, str, float], ...]) -> None:
        """Announce the phases: (key, title, seconds that it takes where nothing is known)."""
        found = (
            Phase(key=key, title=title, estimate=self._timings.estimate(key, default))
            for key, title, default in phases
        )
        self._phases = {phase.key: phase for phase in found}
        self._on_event(BuildStarted(name=self._name, phases=tuple(self._phases.values()), log=self.log_path))

    @contextmanager
    def phase(self, key: str, *, cached: bool = False) -> Iterator[None]:
        """Run the block as that phase; *cached* says that an earlier result serves."""
        self._current = self._phases[key]
        self._on_event(PhaseStarted(phase=self._current))
        self._write(f"== {self._current.title}")
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        finished = PhaseFinished(phase=key, seconds=seconds, cached=cached)
        self._on_event(finished)
        self._remember(finished)
        if not cached:
            self._timings.remember(key, seconds)

    def replay(self, event: Event) -> None:
        """Tell what happened in a part of this build that another host does."""
        match event:
            case PhaseStarted():
                self._current = self._phases.get(event.phase.key, event.phase)
                self._on_event(PhaseStarted(phase=self._current))
                self._write(f"== {self._current.title}")
            case PhaseFinished():
                self._on_event(event)
                self._remember(event)
            case Log():
                self.line(event.line)
            case Progress():
                self._on_event(event)
            case Notice():
                self.notice(event.message)
            case BuildStarted() | BuildFinished() | Booted():
                # This build's own begin and end are told here, and sets are booted here.
                pass
            case _:
                assert_never(event)

    def _remember(self, event: PhaseFinished) -> None:
        began = time.time() - event.seconds
        self.timeline.append(
            {
                "phase": event.phase,
                "started": round(began, 3),
                "seconds": round(event.seconds, 3),
                "cached": event.cached,
            }
        )

    def line(self, text: str) -> None:
        """Report a line of output of the current phase."""
        self._write(text)
        self._on_event(Log(phase=self._current.key, line=text))

    def packages(self, total: int, handled: Callable[[str], str | None]) -> Callable[[str], None]:
        """Return a sink for lines that also counts packages: each is unpacked once and configured once."""
        done = 0

        def sink(text: str) -> None:
            nonlocal done
            self.line(text)
            name = handled(text)
            if name is not None:
                done += 1
                self.progress(min(done // 2, total), total, "packages", name)

        return sink

    def progress(self, done: int, total: int, unit: str, detail: str) -> None:
        """Report how far the current phase is."""
        self._on_event(Progress(phase=self._current.key, done=done, total=total, unit=unit, detail=detail))

    @property
    def seconds(self) -> float:
        """Seconds since this build began."""
        return time.monotonic() - self._began

    def notice(self, message: str) -> None:
        """Report something that a person should read."""
        self._write(message)
        self._on_event(Notice(message=message))

    def finish(self, directory: Path, *, unchanged: bool) -> None:
        """Report the end of a build that went well."""
        self._on_event(
            BuildFinished(name=self._name, directory=directory, seconds=self.seconds, unchanged=unchanged)
        )

    def _write(self, text: str) -> None:
        self._log.write(f"{self.seconds:9.3f} {text}\n")
        self._log.flush()
