"""What a build says while it runs; the command line shows it, programs read it as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.boot import BootRecord


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of a build that takes long enough for a person to care."""

    key: str
    title: str
    estimate: float
    """Seconds that it is expected to take, from earlier builds on this host where there are any."""


@dataclass(frozen=True, kw_only=True)
class BuildStarted:
    """The phases that will run, in their order."""

    name: str
    phases: tuple[Phase, ...]
    log: Path


@dataclass(frozen=True, kw_only=True)
class PhaseStarted:
    """A phase begins."""

    phase: Phase


@dataclass(frozen=True, kw_only=True)
class Progress:
    """*done* of *total* units of the current phase; *total* is 0 where it is not known."""

    phase: str
    done: int
    total: int
    unit: str
    """`packages` or `bytes`."""
    detail: str
    """What is being worked on, for a person."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """A line of output of a program that a phase started."""

    phase: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that a person should read: a warning, or that another process is waited for."""

    message: str


@dataclass(frozen=True, kw_only=True)
class PhaseFinished:
    """A phase ended well; *cached* says that an earlier result served."""

    phase: str
    seconds: float
    cached: bool


@dataclass(frozen=True, kw_only=True)
class BuildFinished:
    """The artifact set is in its place; *unchanged* says that it already was."""

    name: str
    directory: Path
    seconds: float
    unchanged: bool


@dataclass(frozen=True, kw_only=True)
class Booted:
    """The set was booted in one way, well or not."""

    record: BootRecord


Event = BuildStarted | PhaseStarted | Progress | Log | Notice | PhaseFinished | BuildFinished | Booted
EventSink = Callable[[Event], None]
