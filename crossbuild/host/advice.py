"""Which qemu to take, judged by what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossbuild.host.measure import Measurement, Times

MARGIN = 1.1
"""A factor: what differs by less differs from one measurement to the next."""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The qemu to take, and why."""

    path: str
    version: str
    in_use: bool
    """Whether nothing has to be done."""
    reason: str


def advise(measured: Sequence[Measurement]) -> Advice | None:
    """Return the best qemu of *measured*, None where none gives right answers and results.

    One that loses argv[0] as a handler comes after all that keep it. Of the others, those are left that start
    programs fastest, of these those that compute fastest, each within MARGIN. Where several remain, it is the
    one in use, else the first.
    """
    sound = [entry for entry in measured if not entry.handler and entry.times]
    keeping = [entry for entry in sound if entry.keeps_argv0] or sound
    if not keeping:
        return None
    starting = _fastest(keeping, lambda times: times.start)
    computing = _fastest(starting, lambda times: times.computing)
    best = next((entry for entry in computing if entry.in_use), computing[0])
    reason = _reason(len(keeping), len(starting), len(computing))
    if len(keeping) < len(sound):
        reason = f"Of those that keep argv[0], {reason}"
    return Advice(
        path=best.path, version=best.version, in_use=best.in_use, reason=reason[0].upper() + reason[1:]
    )


def _fastest(entries: Sequence[Measurement], seconds: Callable[[Times], float]) -> list[Measurement]:
    """Return the fastest of *entries* and those within MARGIN of it."""
    known = [(entry, seconds(entry.times)) for entry in entries if entry.times]
    least = min(value for _, value in known)
    return [entry for entry, value in known if value <= MARGIN * least]


def _reason(fit: int, starting: int, computing: int) -> str:
    """Say what decided, by how many were left of those that are fit after each comparison."""
    if fit == 1:
        return "it is the only one that is fit."
    if starting == 1:
        return "it starts programs fastest, and builds spend most of their time on starts."
    if computing == 1:
        return "it computes fastest of those that start programs fastest."
    return "no other one is more than 10 % faster."
