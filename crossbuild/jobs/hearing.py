"""Understands what a worker says of a job: events, one on each line, and at last how it ended."""

from __future__ import annotations

import json
from typing import cast

from crossbuild.model import job as names
from crossbuild.model.codec import decode
from crossbuild.model.events import Event, EventSink
from crossbuild.model.job import Outcome


class Hearing:
    """Takes lines of `follow`; *offset* is how many bytes of events it has understood.

    *alive* says whether the worker was heard since it was last set to false.
    """

    def __init__(self, on_event: EventSink) -> None:
        self._on_event = on_event
        self.offset = 0
        self.alive = False
        self.outcome: Outcome | None = None

    def __call__(self, line: str) -> None:
        """Take in *line*, without its end; ssh's own words may be among them, and are no sign of life."""
        self.alive = self.alive or not line or line.startswith(("{", names.END))
        if line.startswith(names.END):
            self.outcome = decode(Outcome, json.loads(line.removeprefix(names.END)))
        elif line.startswith("{"):
            event = decode(cast("type[Event]", Event), json.loads(line))
            self.offset += len(line) + 1
            self._on_event(event)
