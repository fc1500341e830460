"""What a build's events add up to at a moment, and how long the rest will take: no terminal, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from crossbuild.model.events import (
    Booted,
    BuildFinished,
    BuildStarted,
    Event,
    Log,
    Notice,
    Phase,
    PhaseFinished,
    PhaseStarted,
    Progress,
)

PRIOR = 0.1
"""The share of an estimate that must have run before what is measured counts as much as what was expected."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """The current phase, begun at *began* on the tracker's clock."""

    phase: Phase
    began: float
    progress: Progress | None = None
    line: str = ""
    """What it said last, or what it works on: the newer of the two."""

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1; None where it does not say."""
        if self.progress is None or self.progress.total <= 0:
            return None
        return min(1.0, max(0.0, self.progress.done / self.progress.total))


class Tracker:
    """The state of one build; *began* and every *now* are seconds of the same clock, whichever it is."""

    def __init__(self, started: BuildStarted, began: float) -> None:
        self.started = started
        self.began = began
        self.running: Running | None = None
        self.done: dict[str, PhaseFinished] = {}
        self.finished: BuildFinished | None = None

    def accept(self, event: Event, now: float) -> None:
        """Take in *event*, which arrived at *now*."""
        match event:
            case PhaseStarted():
                self.running = Running(phase=event.phase, began=now)
            case PhaseFinished():
                self.done[event.phase] = event
                self.running = None
            case Progress():
                self._update(progress=event, line=event.detail)
            case Log():
                self._update(line=event.line)
            case BuildFinished():
                self.finished = event
            case BuildStarted() | Notice() | Booted():
                pass
            case _:
                assert_never(event)

    def remaining(self, now: float) -> float | None:
        """Return the seconds that the build will still take, None where nothing fair can be said.

        The estimates are scaled by how the phases so far compare with theirs; the current phase by its own
        progress, the more so the further it is.
        """
        ahead = sum(phase.estimate for phase in self.started.phases if self.is_ahead(phase))
        pace = self._pace(now)
        rest = _rest(self.running, now, pace) if self.running else 0.0
        seconds = rest + ahead * pace
        return seconds if seconds > 0 else None

    def is_ahead(self, phase: Phase) -> bool:
        """Tell whether *phase* has not begun."""
        current = self.running.phase.key if self.running else None
        return phase.key != current and phase.key not in self.done

    def _update(self, *, progress: Progress | None = None, line: str = "") -> None:
        if running := self.running:
            self.running = Running(
                phase=running.phase,
                began=running.began,
                progress=progress or running.progress,
                line=line or running.line,
            )

    def _pace(self, now: float) -> float:
        """How many seconds pass for each second that was estimated."""
        estimates = {phase.key: phase.estimate for phase in self.started.phases}
        measured = [done for done in self.done.values() if not done.cached and estimates.get(done.phase)]
        prior = PRIOR * sum(estimates.values())
        spent = prior + sum(done.seconds for done in measured)
        expected = prior + sum(estimates[done.phase] for done in measured)
        if not expected:
            return 1.0
        if self.running and self.running.phase.estimate:
            elapsed, estimate = now - self.running.began, self.running.phase.estimate
            share = self.running.share
            # A phase that does not say how far it is counts as on time until it is late.
            covered = share * estimate if share is not None else min(elapsed * expected / spent, estimate)
            return (spent + elapsed) / (expected + covered)
        return spent / expected


def _rest(running: Running, now: float, pace: float) -> float:
    elapsed, estimate, share = now - running.began, running.phase.estimate, running.share
    if share is None:
        return max(0.0, estimate * pace - elapsed)
    if not estimate:
        return elapsed * (1 - share) / share if share else 0.0
    own = (PRIOR * estimate * pace + elapsed) / (PRIOR * estimate + share * estimate)
    return (1 - share) * estimate * own
