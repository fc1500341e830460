"""Spans of time as bars on a common scale."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossbuild.report.fields import Fields
from crossbuild.wording import duration_text

PHASES = {
    "sources": "Package sources",
    "handover": "Handover",
    "twin": "Native twin",
    "base": "Base system",
    "packages": "Packages",
    "configuration": "Configuration",
    "handing-back": "Handing back",
    "return": "Return",
    "verification": "Verification",
    "packing": "Artifacts",
}
"""What the phases of `timeline.json` are called for people; others keep their keys."""
STAGES = {
    "kernel": "Kernel begins",
    "initramfs": "Initramfs begins",
    "fetch": "Image is asked for",
    "unpack": "Image is in memory",
    "switch": "Image's own init",
    "target": "Default target",
}
"""The same for the stages of a boot."""

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_MOST_TICKS = 6


class Look(enum.StrEnum):
    """How a bar is drawn; also the name of its class in the style sheet."""

    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One span; *start* and *width* are percent of the scale."""

    label: str
    start: float
    width: float
    text: str
    """How long it took, in words."""
    note: str
    look: Look


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on the scale at *place* percent."""

    place: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars above one another, and the scale below them."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def phases_chart(timeline: Fields) -> Chart | None:
    """Return the phases of a build, None where none were recorded."""
    phases = [phase for phase in timeline.sections("phases") if phase.text("phase")]
    if not phases:
        return None
    origin = min(phase.amount("started") for phase in phases)
    total = max(phase.amount("started") + phase.amount("seconds") for phase in phases) - origin
    return Chart(bars=tuple(_phase_bar(phase, origin, total) for phase in phases), ticks=ticks(total))


def stages_chart(stages: Sequence[Fields], seconds: float, *, failed: bool) -> Chart:
    """Return the way to each stage of a boot of *seconds*, and from the last one to the verdict."""
    reached = [0.0, *(stage.amount("seconds") for stage in stages)]
    total = max(seconds, *reached)
    bars = [
        _bar(_named(stage.text("stage"), STAGES), before, at, total, note=f"after {duration_text(at)}")
        for stage, before, at in zip(stages, reached, reached[1:], strict=False)
    ]
    look = Look.FAILED if failed else Look.DONE
    bars.append(
        _bar("Verdict", reached[-1], seconds, total, note=f"after {duration_text(seconds)}", look=look)
    )
    return Chart(bars=tuple(bars), ticks=ticks(total))


def _named(key: str, names: Mapping[str, str]) -> str:
    return names.get(key, key.replace("-", " "))


def ticks(total: float) -> tuple[Tick, ...]:
    """Return marks at round times from 0 to *total* seconds, so few that their texts have room."""
    if total <= 0:
        return ()
    step = next((step for step in _STEPS if total / step <= _MOST_TICKS), total / _MOST_TICKS)
    return tuple(
        Tick(place=100 * number * step / total, text=_tick_text(number * step))
        for number in range(int(total / step) + 1)
    )


def _tick_text(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _phase_bar(phase: Fields, origin: float, total: float) -> Bar:
    start = phase.amount("started") - origin
    cached = phase.flag("cached")
    return _bar(
        _named(phase.text("phase"), PHASES),
        start,
        start + phase.amount("seconds"),
        total,
        note="kept from an earlier build" if cached else "",
        look=Look.CACHED if cached else Look.DONE,
    )


def _bar(
    label: str, start: float, end: float, total: float, *, note: str = "", look: Look = Look.DONE
) -> Bar:
    unit = 100 / total if total else 0.0
    span = max(end - start, 0.0)
    return Bar(
        label=label, start=start * unit, width=span * unit, text=duration_text(span), note=note, look=look
    )
