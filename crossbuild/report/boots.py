"""How a set started: `boot/WAY.json` and the console beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.report.bars import Chart, stages_chart
from crossbuild.report.fields import Fields, read_json
from crossbuild.report.terminal import Line, screen
from crossbuild.wording import duration_text, moment_text

FOLDER = "boot"
LOG_BYTES = 200_000
"""How much of a console's end goes into the page."""
SCREEN_LINES = 24
"""As many as a serial terminal shows at a time."""

_BOOTED = "booted"


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that was looked at inside the machine."""

    name: str
    result: str
    """`ok`, `failed` or `skipped`."""
    found: str


@dataclass(frozen=True, kw_only=True)
class Console:
    """What the machine wrote."""

    screen: tuple[Line, ...]
    """Its last lines."""
    log: tuple[Line, ...]
    file: str
    """Where all of it is, in the set."""
    cut: bool
    """Whether *log* is only the end of it."""


@dataclass(frozen=True, kw_only=True)
class Boot:
    """One way in which the set was started."""

    booted: bool
    reason: str
    at: str
    took: str
    memory: str
    emulator: str
    current: bool
    """Whether it was this build that was started, not an earlier one."""
    stages: Chart
    checks: tuple[Check, ...]
    lines: tuple[str, ...]
    """What the console said of a failure."""
    console: Console | None


def boots_of(found: ArtifactSet, digest: str) -> Mapping[OutputKind, Boot | None]:
    """Return how each kind that is in the set started, None where nobody tried; *digest* is the record's."""
    folders = {artifact.path.parts[0] for artifact in found.artifacts}
    return {kind: _boot(found.directory, kind, digest) for kind in OutputKind if kind in folders}


def _boot(directory: Path, kind: OutputKind, digest: str) -> Boot | None:
    record = Fields(read_json(directory / FOLDER / f"{kind}.json"))
    if not record:
        return None
    booted = record.text("verdict") == _BOOTED
    mebibytes = record.count("memory_bytes") >> 20
    return Boot(
        booted=booted,
        reason=record.text("reason"),
        at=moment_text(record.text("at")),
        took=duration_text(record.amount("seconds")),
        memory=f"{mebibytes:,} MiB" if mebibytes else "",
        emulator=record.text("emulator"),
        current=record.text("image_digest").removeprefix("sha256:") == digest,
        stages=stages_chart(record.sections("stages"), record.amount("seconds"), failed=not booted),
        checks=tuple(
            Check(name=check.text("check"), result=check.text("result"), found=check.text("found"))
            for check in record.sections("checks")
        ),
        lines=record.texts("lines"),
        console=_console(directory / FOLDER / f"{kind}.log"),
    )


def _console(path: Path) -> Console | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - LOG_BYTES, 0))
            text = file.read(LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    cut = size > LOG_BYTES
    # The first line of a part is a part of a line.
    lines = screen(text.partition("\n")[2] if cut else text)
    return Console(
        screen=tuple(lines[-SCREEN_LINES:]), log=tuple(lines), file=f"{FOLDER}/{path.name}", cut=cut
    )
