"""How the state of a build looks on a terminal: a pure function from a tracker to lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossbuild.cli.console import Line, bad, faint, good
from crossbuild.cli.text import clock_text, log_line, remaining_text
from crossbuild.cli.tracker import Running, Tracker
from crossbuild.model.events import Phase, PhaseFinished, Progress
from crossbuild.wording import duration_text, size_text

BAR_COLUMNS = 24
SMALLEST_BAR = 8
MOST_TITLE_COLUMNS = 32
MOST_COLUMNS = 80
"""Wider lines would be broken by a window that gets narrower while they are on it."""


@dataclass(frozen=True, kw_only=True)
class Symbols:
    """The signs of a picture, one column each; *spinner* holds one for each moment."""

    done: str
    failed: str
    ahead: str
    spinner: str
    full: str
    empty: str


DRAWN = Symbols(done="✓", failed="✗", ahead="·", spinner="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", full="━", empty="─")
ASCII = Symbols(done="*", failed="!", ahead=".", spinner="|/-\\", full="#", empty="-")


@dataclass(frozen=True, kw_only=True)
class View:
    """What the picture is painted on."""

    columns: int
    lines: int
    symbols: Symbols


def picture(tracker: Tracker, now: float, view: View) -> list[Line]:
    """Return the phases, what the current one does, the time and what remains of it."""
    phases = tracker.started.phases
    title_columns = _title_columns(phases)
    running = tracker.running
    done = [
        _done_row(phase, tracker.done[phase.key], title_columns, view)
        for phase in phases
        if phase.key in tracker.done
    ]
    current = list(_current_rows(running, now, title_columns, view)) if running else []
    ahead = [_ahead_row(phase, view) for phase in phases if tracker.is_ahead(phase)]
    # A block that is higher than the screen could not be painted over; the cursor needs a line, too.
    room = view.lines - len(current) - 2
    if len(done) + len(ahead) > room and len(done) > 1:
        done = [[f"  {view.symbols.done} ", faint(f"{len(done)} phases done")]]
    if len(done) + len(ahead) > room and len(ahead) > 1:
        ahead = [[f"  {view.symbols.ahead} ", faint(f"{len(ahead)} phases to come")]]
    return [*done, *current, *ahead, _time_row(tracker, now)]


def last_picture(tracker: Tracker, now: float, view: View, *, failed: bool) -> list[Line]:
    """Return what stays on the screen: all phases that ran, and the one that *failed*."""
    title_columns = _title_columns(tracker.started.phases)
    rows: list[Line] = [
        _done_row(phase, tracker.done[phase.key], title_columns, view)
        for phase in tracker.started.phases
        if phase.key in tracker.done
    ]
    if failed and tracker.running:
        elapsed = duration_text(now - tracker.running.began)
        title = f"{tracker.running.phase.title:{title_columns}}  "
        rows.append([bad(f"  {view.symbols.failed} "), title, f"stopped after {elapsed}"])
    return rows


def amount(progress: Progress) -> str:
    """Return how far a phase is, for a person: `12 of 310 packages`, `1.2 MB of 3.4 GB`, `12 packages`."""
    if progress.unit == "bytes":
        done = size_text(progress.done)
        return f"{done} of {size_text(progress.total)}" if progress.total else done
    done = str(progress.done)
    return f"{done} of {progress.total} {progress.unit}" if progress.total else f"{done} {progress.unit}"


def _title_columns(phases: Sequence[Phase]) -> int:
    return min(MOST_TITLE_COLUMNS, max((len(phase.title) for phase in phases), default=0))


def _done_row(phase: Phase, done: PhaseFinished, title_columns: int, view: View) -> Line:
    took = faint("kept from earlier") if done.cached else duration_text(done.seconds)
    return [good(f"  {view.symbols.done} "), f"{phase.title:{title_columns}}  ", took]


def _ahead_row(phase: Phase, view: View) -> Line:
    return [faint(f"  {view.symbols.ahead} {phase.title}")]


def _current_rows(running: Running, now: float, title_columns: int, view: View) -> Iterator[Line]:
    spinner = view.symbols.spinner
    elapsed = now - running.began
    sign = spinner[int(elapsed * 5) % len(spinner)]
    row = f"  {sign} {running.phase.title:{title_columns}}  {clock_text(elapsed)}"
    if running.progress:
        figures = f"  {amount(running.progress)}"
        if (share := running.share) is not None:
            figures = f"  {int(share * 100):3} %{figures}"
            row += _bar(share, view.columns - len(row) - len(figures) - 3, view.symbols)
        row += figures
    yield [row]
    yield [faint(f"      {log_line(running.line)}")]


def _bar(share: float, columns: int, symbols: Symbols) -> str:
    columns = min(BAR_COLUMNS, columns)
    if columns < SMALLEST_BAR:
        return ""
    full = int(share * columns)
    return f"  {symbols.full * full}{symbols.empty * (columns - full)}"


def _time_row(tracker: Tracker, now: float) -> Line:
    elapsed = f"  {clock_text(now - tracker.began)} elapsed"
    remaining = tracker.remaining(now)
    return [elapsed, faint(f", {remaining_text(remaining)}")] if remaining is not None else [elapsed]
