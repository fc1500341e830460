"""How long programs ran: joins the record of starts with what the kernel tells of processes that end.

Process ids do not join them: those of the record count in a sandbox, those of the kernel on the whole host. A
process is taken for that of a start if it descends from this build, lived at that moment, and bears the name.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from crossbuild.acceleration.starts import Start, Way, settled

SLACK = 100_000_000
"""Nanoseconds by which the end of a process may be heard late on a busy host."""
NAME_BYTES = 15
"""How much of a process's name the kernel keeps (proc_pid_comm(5))."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process that has ended, all its threads together."""

    id: int
    parent: int
    """Of the process that it belonged to in the end: the one that started it, or who inherited it."""
    name: str
    """Of the last program that it executed, as that was called; at most 15 bytes."""
    executed: bool
    """Whether it executed a program at all; else it is a copy of its parent."""
    began: int
    ended: int
    """Both in nanoseconds of CLOCK_MONOTONIC, and both late by what it took to hear of the end."""
    cpu: int
    """Nanoseconds of CPU time."""


@dataclass(frozen=True, kw_only=True)
class ProgramUse:
    """All starts of one program in one way."""

    program: str
    """Resolved path inside the root."""
    way: Way
    starts: int
    timed: int
    """How many of the starts the times are of."""
    seconds: float
    """Elapsed, waiting for the programs that it started included."""
    cpu_seconds: float
    """Without those of programs that it started, but with copies of itself."""


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One start, with the nanoseconds that it took."""

    start: Start
    elapsed: int
    cpu: float


def program_uses(
    starts: Iterable[Start], processes: Sequence[Process], ancestor: int
) -> tuple[ProgramUse, ...]:
    """Return what ran: in qemu before natively, and of each the most CPU time, then most starts, first.

    *processes* are in the order of their ends, and only those that descend from process *ancestor* count.
    """
    kept = settled(starts)
    timed: defaultdict[tuple[str, Way], list[_Run]] = defaultdict(list)
    for run in _runs(kept, _executions(processes, ancestor)):
        timed[run.start.path, run.start.way].append(run)
    counts: defaultdict[tuple[str, Way], int] = defaultdict(int)
    for start in kept:
        counts[start.path, start.way] += 1
    uses = (
        ProgramUse(
            program=path,
            way=way,
            starts=count,
            timed=len(timed[path, way]),
            seconds=sum(run.elapsed for run in timed[path, way]) / 1e9,
            cpu_seconds=sum(run.cpu for run in timed[path, way]) / 1e9,
        )
        for (path, way), count in counts.items()
    )
    return tuple(
        sorted(uses, key=lambda use: (use.way is Way.NATIVE, -use.cpu_seconds, -use.starts, use.program))
    )


def _executions(processes: Sequence[Process], ancestor: int) -> list[Process]:
    """Return the descendants of *ancestor* that executed programs, with the CPU time of their copies."""
    cpu: dict[Process, int] = {}
    # A child's end is told before that of the process it belongs to: backwards, parents come first, and ids
    # that were given out twice do not mix.
    living: dict[int, Process | None] = {ancestor: None}
    for process in reversed(processes):
        if process.parent not in living:
            living.pop(process.id, None)
            continue
        program = process if process.executed else living[process.parent]
        living[process.id] = program
        if program:
            cpu[program] = cpu.get(program, 0) + process.cpu
    return [replace(process, cpu=total) for process, total in cpu.items()]


def _runs(starts: Sequence[Start], processes: Iterable[Process]) -> Iterator[_Run]:
    """Join each of *starts*, which are in the order of time, with at most one of *processes*."""
    # The shorter a life, the fewer starts it can have had: what is certain goes first.
    left = sorted(processes, key=lambda process: process.ended - process.began)
    unjoined = list(starts)
    for fits in (_bears_the_name, _began_then):
        unnamed = []
        for process in left:
            chain = _take(unjoined, process, fits)
            if chain:
                yield from _divide(chain, process)
            else:
                unnamed.append(process)
        left = unnamed


def _take(
    unjoined: list[Start], process: Process, fits: Callable[[Process, list[Start]], bool]
) -> list[Start]:
    """Take the starts of *process* out of *unjoined*: several if it executed one program after another."""
    low = bisect_left(unjoined, process.began - SLACK, key=_moment)
    high = bisect_right(unjoined, process.ended, key=_moment)
    chains: defaultdict[int, list[Start]] = defaultdict(list)
    for start in unjoined[low:high]:
        chains[start.process].append(start)
    found = min(
        (chain for chain in chains.values() if fits(process, chain)),
        key=lambda chain: _distance(process, chain),
        default=[],
    )
    if found:
        unjoined[low:high] = [start for start in unjoined[low:high] if start.process != found[0].process]
    return found


def _bears_the_name(process: Process, chain: list[Start]) -> bool:
    name = os.fsencode(chain[-1].path.rpartition("/")[2])
    return process.name == os.fsdecode(name[:NAME_BYTES])


def _began_then(process: Process, chain: list[Start]) -> bool:
    """Accept any name: an emulated program bears that of a link or a script, and some choose their own."""
    return _distance(process, chain) <= SLACK


def _distance(process: Process, chain: list[Start]) -> int:
    return abs(chain[0].nanoseconds - process.began)


def _divide(chain: list[Start], process: Process) -> Iterator[_Run]:
    """Share the times of *process* among its programs; the kernel has only one CPU time for them all."""
    ends = [*(start.nanoseconds for start in chain[1:]), process.ended]
    elapsed = [
        min(end - start.nanoseconds, process.ended - process.began)
        for start, end in zip(chain, ends, strict=True)
    ]
    total = max(sum(elapsed), 1)
    for start, nanoseconds in zip(chain, elapsed, strict=True):
        yield _Run(start=start, elapsed=nanoseconds, cpu=process.cpu * nanoseconds / total)


def _moment(start: Start) -> int:
    return start.nanoseconds
