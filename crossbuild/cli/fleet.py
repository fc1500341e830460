"""Several builds at a time, each in a process of its own: one table for people, one stream for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from crossbuild.cli import console
from crossbuild.cli.console import Line
from crossbuild.cli.screen import Screen, is_screen
from crossbuild.errors import CrossbuildError
from crossbuild.host.command import stream_all
from crossbuild.wording import duration_text, printable

AT_ONCE = 16
"""Builds that this server looks after at a time: what comes back is checked and packed here."""
PERIOD = 0.2
"""Seconds between two pictures."""
COLUMNS = 160
UNEXPLAINED = "It ended without a word; its log tells more."


@dataclass
class Member:
    """What is known of one build."""

    name: str
    began: float
    doing: str = "waiting"
    detail: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    seconds: float | None = None

    def accept(self, event: dict[str, Any], now: float) -> str:
        """Take in *event* (docs/reference/events.md); return what a reader of lines should know of it."""
        match event.get("event"):
            case "build-started":
                self.began = now
                self.titles = {phase["phase"]: phase["title"] for phase in event["phases"]}
            case "phase-started":
                self.doing, self.detail = self.titles.get(event["phase"], event["title"]), ""
                return self.doing
            case "progress":
                share = f"{event['done'] * 100 // event['total']} % " if event["total"] > 0 else ""
                self.detail = f"{share}{event['detail']}"
            case "notice":
                self.detail = str(event["message"])
                return self.detail
            case "build-finished":
                self.doing = "unchanged" if event["unchanged"] else "done"
                self.detail, self.seconds = console.near(Path(event["directory"])), now - self.began
                return f"{self.doing}, {self.detail}"
        if error := event.get("error"):
            self.error, self.seconds = error, now - self.began
            self.doing, self.detail = "failed", str(error["brief"])
            return f"failed: {self.detail}"
        return ""


class FleetView:
    """Shows all builds on a terminal, or says as lines what happens."""

    def __init__(
        self, names: Sequence[str], file: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self.members = [Member(name, clock()) for name in names]
        self._file = file
        self._screen = Screen(file) if is_screen(file) else None
        self._painted = 0.0

    def accept(self, number: int, event: dict[str, Any]) -> None:
        """Take in what the build of that *number* says."""
        now = self._clock()
        said = self.members[number].accept(event, now)
        if self._screen:
            if now - self._painted >= PERIOD:
                self.paint()
        elif said:
            self._file.write(f"{self.members[number].name}: {printable(said)}\n")
            self._file.flush()

    def paint(self) -> None:
        """Show all of it as it is now, where it can be shown."""
        if self._screen:
            self._painted = self._clock()
            most = max(1, self._screen.size.lines - 2)
            # What has ended well is the least of anybody's worries.
            shown = sorted(self.members, key=lambda member: member.doing in {"done", "unchanged"})
            self._screen.paint([self._row(member) for member in shown[:most]], most=COLUMNS)

    def _row(self, member: Member) -> Line:
        width = max(len(one.name) for one in self.members)
        took = member.seconds if member.seconds is not None else self._clock() - member.began
        name = console.bad(member.name) if member.error else console.strong(member.name)
        space = " " * (width - len(member.name))
        text = f"  {duration_text(took):>8}  {member.doing:20}  {printable(member.detail)}"
        return (name, f"{space}{text}")


def build_fleet(names: Sequence[str], command_lines: Sequence[Sequence[str]], *, as_json: bool) -> None:
    """Run *command_lines*, builds of *names* with events on stdout; raise CrossbuildError if any fails.

    With *as_json*, all events go to stdout, each with the name of its build as `build`.
    """
    view = FleetView(names, sys.stderr)

    def on_line(number: int, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        if as_json:
            if "event" in event:
                console.print_json_line({**event, "build": names[number]})
            view.members[number].accept(event, time.monotonic())
        else:
            view.accept(number, event)

    statuses = stream_all(command_lines, at_once=AT_ONCE, on_line=on_line)
    if not as_json:
        view.paint()
    failed = [(member, status) for member, status in zip(view.members, statuses, strict=True) if status]
    if failed:
        raise _error(failed, len(names))


def command_line(config: Path | None, spec: Path, output: Path, *options: str) -> list[str]:
    """Return the command line of one build that tells events."""
    chosen = ["--config", str(config)] if config else []
    start = [sys.executable, "-m", "crossbuild", *chosen, "build", "--json"]
    return [*start, "--output", str(output), *options, str(spec)]


def _error(failed: Sequence[tuple[Member, int]], count: int) -> CrossbuildError:
    details = []
    for member, _ in failed:
        told = member.error or {"brief": UNEXPLAINED, "details": "", "resolution": ""}
        lines = (f"{member.name}: {told['brief']}", told["details"], told["resolution"])
        details.append("\n  ".join(line.replace("\n", "\n  ") for line in lines if line))
    error = CrossbuildError(f"{len(failed)} of {count} builds failed.", details="\n".join(details))
    error.exit_code = max(status if status > 0 else 1 for _, status in failed)
    return error
