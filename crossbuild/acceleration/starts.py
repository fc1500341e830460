"""The record that crossbuild-exec keeps of every program that it starts (`struct record` of exec.c)."""

from __future__ import annotations

import enum
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

RECORD = struct.Struct("<QII112s")
"""Nanoseconds of CLOCK_MONOTONIC, process id in the innermost PID namespace, way, path padded with NUL."""


class Way(enum.Enum):
    """How a program ran, and if in qemu, why."""

    NATIVE = "n"
    NO_RULE = "q"
    ARGUMENTS = "a"
    """The rule allows the twin, but not with these arguments."""
    ENVIRONMENT = "e"
    """The dynamic loader was given instructions, or a variable that the twin needs was taken."""
    TWIN_UNFIT = "t"
    """The twin is missing, has another size, or others than root may write it."""
    REFUSED = "x"
    """The kernel did not start the twin; follows a record of the same start that said NATIVE."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One program that was started."""

    nanoseconds: int
    """CLOCK_MONOTONIC."""
    process: int
    """In the sandbox's PID namespace."""
    way: Way
    path: str
    """Resolved, cut off behind 112 bytes."""


def read_starts(file: BinaryIO) -> Iterator[Start]:
    """Yield what *file* records, in order; whatever others may have appended is passed over."""
    while len(block := file.read(RECORD.size)) == RECORD.size:
        if start := _start(block):
            yield start


def settled(starts: Iterable[Start]) -> list[Start]:
    """Return *starts* in the order of time, each once: a twin that the kernel refused only as REFUSED."""
    kept: list[Start] = []
    refused: set[tuple[int, str]] = set()
    ordered = sorted(starts, key=lambda start: start.nanoseconds)
    for start in reversed(ordered):
        program = (start.process, start.path)
        if start.way is Way.REFUSED:
            refused.add(program)
        elif start.way is Way.NATIVE and program in refused:
            refused.remove(program)
            continue
        kept.append(start)
    return kept[::-1]


def _start(block: bytes) -> Start | None:
    nanoseconds, process, way, path = RECORD.unpack(block)
    letters = {kind.value: kind for kind in Way}
    kind = letters.get(chr(way)) if way < 128 else None
    if kind is None:
        return None
    return Start(nanoseconds=nanoseconds, process=process, way=kind, path=os.fsdecode(path.rstrip(b"\0")))
