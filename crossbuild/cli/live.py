"""A build's progress for a person at a terminal: the phases, the current one in motion, what remains."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from crossbuild.cli.console import faint, strong, warning
from crossbuild.cli.picture import ASCII, DRAWN, MOST_COLUMNS, View, last_picture, picture
from crossbuild.cli.screen import Screen
from crossbuild.cli.text import wrapped
from crossbuild.cli.tracker import Tracker
from crossbuild.model.events import BuildFinished, BuildStarted, Event, Notice

PERIOD = 0.2
"""Seconds between two pictures."""


class LiveProgress:
    """An event sink that keeps a picture of the build on a terminal while its context is open."""

    def __init__(self, file: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = Screen(file)
        self._clock = clock
        self._tracker: Tracker | None = None
        self._lock = threading.Lock()
        self._leave = threading.Event()
        # Also a program that says nothing for minutes must be seen to be alive.
        self._painter = threading.Thread(target=self._keep_painting, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._painter.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        self._leave.set()
        self._painter.join()
        self._close(failed=error is not None)

    def __call__(self, event: Event) -> None:
        """Take in *event*; only news that must stay on the screen is written here."""
        with self._lock:
            if isinstance(event, BuildStarted):
                self._tracker = Tracker(event, self._clock())
                self._screen.above([strong(event.name), faint(f"  log: {event.log}")])
            elif isinstance(event, Notice):
                for text in wrapped(f"Note: {event.message}", self._screen.size.columns - 1):
                    self._screen.above([warning(text)])
            elif self._tracker:
                self._tracker.accept(event, self._clock())
        if isinstance(event, BuildFinished):
            self._close(failed=False)

    def tick(self) -> None:
        """Paint the present state."""
        with self._lock:
            if self._tracker:
                lines = picture(self._tracker, self._clock(), self._view())
                self._screen.paint(lines, most=MOST_COLUMNS)

    def _view(self) -> View:
        columns, lines = self._screen.size
        return View(
            columns=min(columns, MOST_COLUMNS), lines=lines, symbols=DRAWN if self._screen.draws else ASCII
        )

    def _keep_painting(self) -> None:
        while not self._leave.wait(PERIOD):
            try:
                self.tick()
            except OSError:
                # The terminal is gone; the build hears of that by SIGHUP, and its log goes on.
                return

    def _close(self, *, failed: bool) -> None:
        with self._lock:
            if self._tracker:
                lines = last_picture(self._tracker, self._clock(), self._view(), failed=failed)
                self._screen.paint(lines, most=MOST_COLUMNS)
                self._screen.leave()
                self._tracker = None
