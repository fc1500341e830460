"""How a boot is told: stages while it runs, and its record afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossbuild.artifacts.boots import FOLDER
from crossbuild.cli import console
from crossbuild.cli.text import log_line
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootRecord, BootWish, CheckResult, StageReached, Verdict
from crossbuild.model.site import Site
from crossbuild.pipeline import booting
from crossbuild.wording import duration_text, size_text

MARKS = {CheckResult.OK: console.good, CheckResult.FAILED: console.bad, CheckResult.SKIPPED: console.faint}


def boot_set(
    directory: Path, ways: Sequence[OutputKind], wish: BootWish, site: Site
) -> tuple[BootRecord, ...]:
    """Boot the set in *directory* and tell, on stderr, how far each machine is."""

    def tell(stage: StageReached) -> None:
        console.note(f"  {stage.stage} after {duration_text(stage.seconds)}")

    hearer = booting.BootHearer(
        notice=console.note,
        on_way=lambda way: console.note(console.strong(f"Booting {directory.name} as {way} does")),
        # On its own terminal the console says all that itself.
        on_stage=(lambda _stage: None) if wish.shell else tell,
    )
    return booting.boot(directory, ways, wish, site, hearer)


def show_record(record: BootRecord, directory: Path) -> None:
    """Print what came of one boot to stdout."""
    booted = record.verdict is Verdict.BOOTED
    mark = console.good(record.verdict) if booted else console.bad(record.verdict)
    console.line(
        console.strong(f"{record.way}: "),
        mark,
        f" after {duration_text(record.seconds)} with {size_text(record.memory_bytes)} in {record.emulator}",
    )
    reached = ", ".join(f"{one.stage} {duration_text(one.seconds)}" for one in record.stages)
    console.line("Stages: ", reached or "none was reached")
    if record.checks:
        rows = [(MARKS[check.result](check.result), check.check, check.found) for check in record.checks]
        console.table(("", "Check", "What was found"), rows)
    if not booted:
        console.line(console.bad("Why: "), record.reason or "")
        for line in record.lines:
            console.line("  ", console.faint(log_line(line)))
    console.line("Console: ", str(directory / FOLDER / record.console))
    console.line()
