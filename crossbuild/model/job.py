"""Work that is done elsewhere: what a worker is told, what it answers, and the folder in which both lie."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.plan import Layer, Plan, Venue
from crossbuild.model.root import Package
from crossbuild.model.spec import ImageSpec

WORKERS = ".workers"
"""Beside the folders of jobs: the workers of each version of crossbuild that were sent."""
CACHE = ".cache"
"""Beside them, too: trees of layers, kept for later jobs."""

ORDER = "order.json"
HANDED = "handed.tar"
BASE = "base.tar"
"""In it, where the spec has a base: that root."""
EVENTS = "events"
"""Of the folder of a job: one event in JSON on each line, as they happened."""
RESULT = "result.json"
TREE = "tree.tar"
"""The tree that the root grew from, where one was kept."""
CHANGES = "changes.tar"
"""What the root has that this tree has not."""
END = "="
"""Begins the last line of what a worker tells who follows a job: no event does."""
COMPLAINTS = "stderr"
"""What a worker says that was not made for what happens."""


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """A root that is to be made; all of it was decided where it comes from."""

    job: str
    site: str
    """Whose job it is: the id of an installation of crossbuild."""
    spec: ImageSpec
    """Without anything that only the sender's host has."""
    layers: tuple[Layer, ...]
    epoch: int
    """SOURCE_DATE_EPOCH."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a host answers to an order."""

    tree: str
    """The SHA-256 of the last tree of the plan that is kept, if it is there; else packages must be sent."""
    begun: bool = False
    """Whether it works on the job already."""


class Ending(enum.StrEnum):
    """How a job ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    VANISHED = "vanished"
    """Its worker is gone without a word: killed, or its node was restarted."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """An error of crossbuild's own tree, by the name of its class."""

    kind: str
    brief: str
    details: str
    resolution: str


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A file of a job's folder, as the node that wrote it saw it."""

    name: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a job's work."""

    ending: Ending
    complaint: Complaint | None = None
    """Why it failed."""
    tree: Parcel | None = None
    """The kept tree that the root grew from; None where it grew from nothing."""
    changes: Parcel | None = None
    """What is new since; of a job that is done."""
    removed: tuple[str, ...] = ()
    """What the tree has and the root has not, or has anew: absolute, decoded as `os.fsdecode` does."""
    packages: tuple[Package, ...] = ()
    """What is installed in the root."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a node says of a folder of a job."""

    job: str
    site: str
    """Empty where the order is damaged."""
    running: bool
    ending: Ending | None


class JobState(enum.StrEnum):
    """What a record says of a build."""

    WAITING = "waiting"
    """For a slot."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {JobState.WAITING, JobState.RUNNING}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A build as `crossbuild job` knows it; docs/reference/jobs.md describes its record."""

    id: str
    name: str
    """Of the image."""
    target: Path
    """Where its artifact set is, or will be."""
    state: JobState
    venue: Venue | None
    """None while it waits."""
    created: str
    """In UTC, as RFC 3339 writes it."""
    ended: str = ""
    brief: str = ""
    """Why it failed."""


@dataclass(frozen=True, kw_only=True)
class Commission:
    """All that is needed to finish a build whose root is made elsewhere, by whichever process."""

    plan: Plan
    inputs: str
    """As in `image.json`."""
    target: Path
