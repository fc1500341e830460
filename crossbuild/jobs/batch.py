"""The worker in jobs of Slurm: a folder that server and compute nodes share serves as the connection."""

from __future__ import annotations

import contextlib
import enum
import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild import resources
from crossbuild.errors import HostNotReadyError, ProvisionerError
from crossbuild.host.caller import user_id
from crossbuild.host.locks import NoticeSink
from crossbuild.jobs.hearing import Hearing
from crossbuild.jobs.places import Place, ThisHost
from crossbuild.jobs.queue_watch import NUMBER, QueueWatch
from crossbuild.jobs.sending import worker_at
from crossbuild.jobs.speaking import Worker
from crossbuild.model import job as names
from crossbuild.model.codec import decode
from crossbuild.model.events import EventSink
from crossbuild.model.job import Outcome
from crossbuild.model.node import BUILD_FOLDER, JOBS
from crossbuild.model.offload import SLURM, SlurmDefaults
from crossbuild.model.site import Site
from crossbuild.nodes import slurm

LOOK = 0.5
"""Seconds between two looks into the folder."""
LATE = 20.0
"""Seconds for which a shared folder may hide what a compute node has written."""


class SlurmEndedError(ProvisionerError):
    """Slurm ended a job before it had said how it went."""


class SlurmNeverError(SlurmEndedError):
    """Slurm took a job, and will not start it."""


def space_of(user: int) -> PurePosixPath:
    """Return where jobs of *user* build on each compute node, on a disk of its own."""
    return (BUILD_FOLDER if user == 0 else PurePosixPath(f"{BUILD_FOLDER}-{user}")) / "slurm"


class _Prospect(enum.Enum):
    """What may still come of a job."""

    OPEN = enum.auto()
    NEVER = enum.auto()
    """Slurm has it, and will not start it."""
    DONE = enum.auto()
    """It ended well: its result is there, or is hidden for a while."""
    ENDED = enum.auto()


_HOPELESS = (_Prospect.NEVER, _Prospect.ENDED)
_UNENDED = (_Prospect.OPEN, _Prospect.NEVER)


@dataclass(frozen=True, kw_only=True)
class BatchWorker(Worker):
    """The worker on whichever compute node Slurm chooses."""

    defaults: SlurmDefaults
    watch: QueueWatch
    taking = "take"

    def start(self, job: str) -> None:
        """Submit *job*; raise ProvisionerError where Slurm refuses it."""
        folder = self._folder(job)
        words = (self.folder, self.place.jobs, job, space_of(user_id()))
        quoted = [shlex.quote(str(word)) for word in words]
        values = dict(zip(("worker", "jobs", "job", "space"), quoted, strict=True))
        script = resources.render("slurm/job.sh.j2", **values)
        number = slurm.submit(script, job=job, folder=folder, defaults=self.defaults)
        (folder / NUMBER).write_text(str(number), encoding="ascii")

    def follow(self, job: str, on_event: EventSink, notice: NoticeSink) -> Outcome:
        """Hand all that happens to *on_event*, and return how it ended; raise SlurmEndedError.

        A controller that does not answer is waited for.
        """
        hearing, told, done = Hearing(on_event), "", 0.0
        number = self._number(job)
        while True:
            said, prospect = self._look(number)
            self._hear(job, hearing)
            if outcome := self._outcome(job):
                self._hear(job, hearing)
                return outcome
            if said != told:
                notice(f"Slurm's job {number}: {said}.")
                told = said
            done = (done or time.monotonic()) if prospect is _Prospect.DONE else 0.0
            if prospect in _HOPELESS or (done and time.monotonic() - done > LATE):
                raise _hopeless(number, prospect, said)
            time.sleep(LOOK)

    def cancel(self, job: str) -> None:
        """Have Slurm end *job*, and wait until it has."""
        with contextlib.suppress(ProvisionerError):
            number = self._number(job)
            slurm.cancel([number])
            self.watch.forget()
            until = time.monotonic() + 2 * LATE
            while self._look(number)[1] in _UNENDED and time.monotonic() < until:
                time.sleep(LOOK)

    def _look(self, number: int) -> tuple[str, _Prospect]:
        """Return what Slurm says of its job *number*, in words, and what may come of it."""
        try:
            found = self.watch.look(number)
        except slurm.SlurmAwayError as error:
            return error.brief.rstrip("."), _Prospect.OPEN
        if found is None:
            return "Slurm has forgotten it", _Prospect.ENDED
        where = f" on {found.nodes}" if found.nodes else ""
        why = ", ".join(filter(None, (found.complaint, found.reason.removeprefix("None"))))
        return f"{found.state}{where}{', ' if why else ''}{why}", _prospect(found)

    def _folder(self, job: str) -> Path:
        return Path(self.place.jobs) / job

    def _number(self, job: str) -> int:
        try:
            return int((self._folder(job) / NUMBER).read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise ProvisionerError(f"The job {job} was never submitted.", details=str(error)) from error

    def _outcome(self, job: str) -> Outcome | None:
        try:
            return decode(Outcome, json.loads((self._folder(job) / names.RESULT).read_bytes()))
        except (OSError, ValueError):
            return None

    def _hear(self, job: str, hearing: Hearing) -> None:
        """Take in the lines of events that are complete."""
        with contextlib.suppress(FileNotFoundError), (self._folder(job) / names.EVENTS).open("rb") as file:
            file.seek(hearing.offset)
            found = file.read()
            for line in found[: found.rfind(b"\n") + 1].decode("ascii").splitlines():
                hearing(line)


def _prospect(found: slurm.SlurmJob) -> _Prospect:
    if found.phase is slurm.Phase.ENDED:
        return _Prospect.ENDED if found.complaint else _Prospect.DONE
    return _Prospect.NEVER if found.hopeless else _Prospect.OPEN


def _hopeless(number: int, prospect: _Prospect, said: str) -> SlurmEndedError:
    if prospect is _Prospect.NEVER:
        return SlurmNeverError(
            f"Slurm will not start its job {number}.",
            details=f"{said}.",
            resolution="Correct `slurm:` in the configuration: partition, account and limits.",
        )
    return SlurmEndedError(
        f"Slurm's job {number} ended before its work was done.",
        details=f"{said}.",
        resolution="Correct `slurm:` in the configuration, or run it again: "
        "trees that were complete are kept.",
    )


def batch_worker(site: Site) -> BatchWorker:
    """Return the worker in jobs of Slurm; raise HostNotReadyError where the site has no folder for them."""
    if site.slurm.folder is None:
        raise HostNotReadyError(
            "Nothing says where jobs of Slurm find what they need.",
            details="A folder is needed that this server and the compute nodes see under the same path.",
            resolution="Name it as `slurm.folder` in the configuration.",
        )
    place = Place(name=SLURM, jobs=PurePosixPath(site.slurm.folder) / JOBS, shore=ThisHost())
    worker = worker_at(place, site.cache / "workers")
    notes = site.state / "jobs" / ".slurm.json"
    notes.parent.mkdir(parents=True, exist_ok=True)
    return BatchWorker(
        place=place,
        python=worker.python,
        folder=worker.folder,
        defaults=site.slurm,
        watch=QueueWatch(Path(place.jobs), notes),
    )
