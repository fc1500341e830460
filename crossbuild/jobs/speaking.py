"""Speaks with the worker on a host: gives it a job, hears what it does, and takes the root home."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from crossbuild import errors
from crossbuild.errors import (
    DISK_FULL,
    ArtifactError,
    BuildFailedError,
    CommandFailedError,
    CrossbuildError,
    HostNotReadyError,
    NodeUnreachableError,
    StorageError,
)
from crossbuild.host.digests import sha256_of
from crossbuild.host.locks import NoticeSink
from crossbuild.jobs.hearing import Hearing
from crossbuild.jobs.patience import Patience
from crossbuild.jobs.places import Place
from crossbuild.model import job as names
from crossbuild.model.codec import decode, encode
from crossbuild.model.events import EventSink
from crossbuild.model.job import Complaint, Outcome, Parcel, Receipt, Standing, WorkOrder

ATTEMPTS = 3
"""How often an archive is fetched that does not arrive as it was packed."""


class NodeFullError(StorageError):
    """The disk of another host is full."""


class DamagedRootError(ArtifactError):
    """The root that another host packed is not the one that can be read there."""


class NodeNotReadyError(HostNotReadyError):
    """Another host lacks something."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The worker on one host, ready to be spoken to."""

    place: Place
    python: tuple[str, ...]
    """The words that start a Python there."""
    folder: PurePosixPath
    taking: ClassVar[str] = "begin"
    """The command that takes an order."""

    def begin(self, order: WorkOrder, handed: Callable[[], Path]) -> Receipt:
        """Give it a new job, and let it begin; return what it had of it already.

        What *handed* makes is sent where its package manager needs that.
        """
        receipt = self.commission(order)
        if not receipt.tree:
            self.hand_over(order.job, handed())
        if not receipt.begun:
            self.start(order.job)
        return receipt

    def commission(self, order: WorkOrder) -> Receipt:
        """Give it a new job, which it may begin by itself; return what is there of it, and whether it has."""
        return decode(Receipt, json.loads(self._ask(self.taking, order.job, stdin=json.dumps(encode(order)))))

    def hand_over(self, job: str, handed: Path) -> None:
        """Send what the package manager of *job* needs."""
        self.place.shore.send(handed, self.place.jobs / job / names.HANDED)

    def start(self, job: str) -> None:
        """Let it begin; from then on it needs nobody."""
        self._ask("start", job)

    def follow(self, job: str, on_event: EventSink, notice: NoticeSink) -> Outcome:
        """Hand all that happens to *on_event*, from the beginning, and return how it ended.

        A lost connection is made anew, and nothing is told twice. Raises NodeUnreachableError where that
        takes too long.
        """
        hearing = Hearing(on_event)
        patience = Patience(self.place.patience, notice)
        while hearing.outcome is None:
            hearing.alive = False
            try:
                self.place.shore.stream(self._argv("follow", job, str(hearing.offset)), hearing)
            except (NodeUnreachableError, CommandFailedError) as error:
                if hearing.alive:
                    patience.renew()
                patience.spend(error, f"The job {job} goes on there")
        return hearing.outcome

    def fetch(
        self, job: str, parcel: Parcel, target: Path, on_bytes: Callable[[int], None], notice: NoticeSink
    ) -> None:
        """Copy *parcel* to the file *target*, whose part that is there already is not asked for again.

        One that is there as it was packed is not asked for at all. A lost connection is made anew. Raises
        DamagedRootError where it does not arrive so, NodeUnreachableError where the way is lost for too long.
        """
        if target.is_file() and target.stat().st_size >= parcel.size:
            if sha256_of(target) == parcel.sha256:
                return
            target.unlink()
        source = self.place.jobs / job / parcel.name
        for _ in range(ATTEMPTS):
            self._fetch(source, target, on_bytes, Patience(self.place.patience, notice))
            if sha256_of(target) == parcel.sha256:
                return
            target.unlink()
        raise DamagedRootError(
            f"The root that {self.place.name} made does not arrive as it was packed.",
            details=f"{source}: its sha256 was {parcel.sha256}, and was another one {ATTEMPTS} times.",
            resolution="Look at the disk and the network of that host; `crossbuild node drain` spares it.",
        )

    def _fetch(
        self, source: PurePosixPath, target: Path, on_bytes: Callable[[int], None], patience: Patience
    ) -> None:
        def arrived(count: int) -> None:
            patience.renew()
            on_bytes(count)

        while True:
            try:
                self.place.shore.fetch(source, target, on_bytes=arrived)
            except NodeUnreachableError as error:
                patience.spend(error, "What has arrived of the root is kept")
            else:
                return

    def cancel(self, job: str) -> None:
        """End *job* and what it does."""
        self._ask("cancel", job)

    def remove(self, job: str) -> None:
        """Delete what is left of *job*, which has ended."""
        self._ask("remove", job)

    def standings(self) -> tuple[Standing, ...]:
        """Return what lies there, of all who use that host."""
        return tuple(decode(Standing, entry) for entry in json.loads(self._ask("jobs")))

    def _ask(self, command: str, *rest: str, stdin: str = "") -> str:
        done = self.place.shore.run(self._argv(command, *rest), stdin=stdin, check=False)
        if done.status:
            lines = done.stderr.strip().splitlines() or ["It said nothing."]
            kind = NodeFullError if lines[0] == DISK_FULL else NodeNotReadyError
            error = kind(f"{self.place.name}: {lines[0]}", details="\n".join(lines[1:]))
            error.exit_code = done.status
            raise error
        return done.stdout

    def _argv(self, command: str, *rest: str) -> list[str]:
        return [*self.python, "-I", str(self.folder), command, str(self.place.jobs), *rest]


def as_error(complaint: Complaint, place: str) -> CrossbuildError:
    """Return what the worker raised on *place*."""
    named: Any = getattr(errors, complaint.kind, None)
    known = isinstance(named, type) and issubclass(named, CrossbuildError)
    kind = _OF_NODES.get(named, named) if known else BuildFailedError
    error: CrossbuildError = kind(complaint.brief, details=complaint.details, resolution=complaint.resolution)
    error.details = f"{error.details}\nIt happened on {place}.".lstrip()
    return error


_OF_NODES: Mapping[type[CrossbuildError], type[CrossbuildError]] = {
    # Its status is not known here.
    CommandFailedError: BuildFailedError,
    HostNotReadyError: NodeNotReadyError,
    StorageError: NodeFullError,
}
