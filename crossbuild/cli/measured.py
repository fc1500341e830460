"""How `crossbuild doctor --measure` shows what it measured, and which qemu it recommends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossbuild.cli import console
from crossbuild.cli.console import Span
from crossbuild.host.advice import Advice
from crossbuild.host.measure import Measurement


def show_measured(
    measured: Sequence[Measurement], advice: Advice | None, *, configured: str, configuration: Path
) -> None:
    """Print a row for each of *measured*, what is wrong with it, and how to take the one that *advice* names.

    *configured* is what the file *configuration* names now, if anything.
    """
    if not measured:
        console.line("There is no qemu to measure here.")
        return
    headers = ("", "qemu", "Version", "Start", "Computing", "In use")
    console.table(headers, [_row(entry) for entry in measured], right={3, 4})
    console.line(console.faint("Processor time of a start, and of five million steps of computing; medians."))
    for entry in measured:
        for fault in _complaints(entry):
            console.line(_mark(entry), f"  {_name(entry)}: {fault}")
    console.line()
    if advice is None:
        console.line(console.bad("None of them is fit: "), "install another static qemu-aarch64.")
        return
    console.line(console.strong("Recommended: "), f"qemu {advice.version} at {advice.path}. {advice.reason}")
    if advice.in_use and configured in {"", advice.path}:
        console.line("It is in use.")
    else:
        words = f"write `qemu: {advice.path}` into {configuration}, then run `sudo crossbuild setup`."
        console.line(console.strong("To use it: "), words)


def _row(entry: Measurement) -> tuple[str | Span, ...]:
    times = entry.times
    return (
        _mark(entry),
        _name(entry),
        entry.version,
        _milliseconds(times.start) if times else "",
        _milliseconds(times.computing) if times else "",
        "yes" if entry.in_use else "no",
    )


def _mark(entry: Measurement) -> Span:
    if entry.faults:
        return console.bad("wrong")
    return console.good("ok") if entry.keeps_argv0 else console.warning("warning")


def _complaints(entry: Measurement) -> tuple[str, ...]:
    lossy = not entry.handler and not entry.keeps_argv0
    return (*entry.faults, *(["As a handler it may lose argv[0]."] if lossy else []))


def _name(entry: Measurement) -> str:
    return f"handler {entry.handler}" if entry.handler else entry.path


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
