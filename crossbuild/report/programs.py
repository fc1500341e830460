"""What ran natively and what in qemu while an image was built, from `timeline.json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crossbuild.report.fields import Fields
from crossbuild.wording import duration_text

SHOWN = 12
"""Programs that are listed at first sight."""

REASONS = {
    "native": "as its x86_64 twin",
    "no_rule": "no rule lets it run natively",
    "arguments": "not with these arguments",
    "environment": "its environment forbids the twin",
    "twin_unfit": "its twin is missing or unfit",
    "refused": "the kernel refused the twin",
}
"""By `Way` of crossbuild.acceleration.starts, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program and one way in which it ran."""

    path: str
    native: bool
    reason: str
    starts: int
    time: str
    """CPU time in words, `-` where none was measured."""
    width: float
    """Percent of the time of the costliest one."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """All programs that ran in one of the two ways."""

    starts: int
    time: str
    width: float
    """Percent of the CPU time of both, or of their starts where no time was measured."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """Who did the work of a build."""

    native: Share
    emulated: Share
    shown: tuple[Program, ...]
    others: tuple[Program, ...]


def work_of(timeline: Fields) -> Work | None:
    """Return who did the work, None where that was not counted."""
    programs = sorted(timeline.sections("programs"), key=_cost, reverse=True)
    if not programs:
        return None
    most = max(program.amount("cpu_seconds") for program in programs)
    listed = tuple(_program(program, most) for program in programs)
    timed = most > 0
    return Work(
        native=_share(programs, native=True, timed=timed),
        emulated=_share(programs, native=False, timed=timed),
        shown=listed[:SHOWN],
        others=listed[SHOWN:],
    )


def _cost(program: Fields) -> tuple[float, int]:
    return program.amount("cpu_seconds"), program.count("starts")


def _program(program: Fields, most: float) -> Program:
    seconds = program.number("cpu_seconds")
    return Program(
        path=program.text("program"),
        native=program.flag("native"),
        reason=REASONS.get(program.text("way"), program.text("way")),
        starts=program.count("starts"),
        time="-" if seconds is None else seconds_text(seconds),
        width=100 * (seconds or 0) / most if most else 0.0,
    )


def _share(programs: Iterable[Fields], *, native: bool, timed: bool) -> Share:
    key = "cpu_seconds" if timed else "starts"
    own = [program for program in programs if program.flag("native") is native]
    whole = sum(program.amount(key) for program in programs)
    part = sum(program.amount(key) for program in own)
    return Share(
        starts=sum(program.count("starts") for program in own),
        time=seconds_text(part) if timed else "not measured",
        width=100 * part / whole if whole else 0.0,
    )


def seconds_text(seconds: float) -> str:
    """Return CPU time in words, with hundredths where a program took less than a second."""
    return f"{seconds:.2f} s" if seconds < 0.995 else duration_text(seconds)
