"""The folder of a job on the host that works on it."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CrossbuildError, HostNotReadyError, UsageError
from crossbuild.host.locks import is_held
from crossbuild.model import job as names
from crossbuild.model.codec import decode, encode
from crossbuild.model.job import Complaint, Ending, Outcome, Standing, WorkOrder
from crossbuild.model.spec import is_name


class CancelledError(BaseException):
    """Somebody wants no more of this job; raised where it stands, so that everything unwinds."""


@dataclass(frozen=True)
class JobFolder:
    """The paths of one job."""

    path: Path
    space: Path | None = None
    """Where it builds, if that is not its own folder: then that one is shared, and perhaps no local disk."""

    @property
    def events(self) -> Path:
        """One event on each line."""
        return self.path / names.EVENTS

    @property
    def handed(self) -> Path:
        """What the sender has put there for the package manager; missing where nothing will be installed."""
        return self.path / names.HANDED

    @property
    def tree(self) -> Path:
        """The kept tree that the root grew from."""
        return self.path / names.TREE

    @property
    def changes(self) -> Path:
        """What the root has besides."""
        return self.path / names.CHANGES

    @property
    def lock(self) -> Path:
        """Held by the worker for as long as it lives (flock(2))."""
        return self.path / ".worker.lock"

    @property
    def pid(self) -> Path:
        """The worker's process id, which counts while the lock is held."""
        return self.path / "pid"

    @property
    def scratch(self) -> Path:
        """What goes when the work has ended."""
        return self.space / self.path.name if self.space else self.path / "work"

    def order(self) -> WorkOrder:
        """Return what is to be done; raise UsageError if that cannot be read."""
        try:
            return decode(WorkOrder, json.loads((self.path / names.ORDER).read_bytes()))
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path} holds no job.", details=str(error)) from error

    def outcome(self) -> Outcome | None:
        """Return how it ended; None while it has not, or where nobody was left to say it."""
        try:
            return decode(Outcome, json.loads((self.path / names.RESULT).read_bytes()))
        except (OSError, ValueError):
            return None

    def conclude(self, outcome: Outcome) -> None:
        """Write down how it ended."""
        scratch = self.path / f".{names.RESULT}"
        scratch.write_text(json.dumps(encode(outcome)), encoding="ascii")
        scratch.rename(self.path / names.RESULT)

    @property
    def running(self) -> bool:
        """Whether a worker lives."""
        return self.path.is_dir() and is_held(self.lock)

    def standing(self) -> Standing:
        """Return what is to be said of it to who asks for all jobs."""
        try:
            site = self.order().site
        except UsageError:
            site = ""
        outcome = self.outcome()
        running = self.running
        ending = outcome.ending if outcome else None if running else Ending.VANISHED
        return Standing(job=self.path.name, site=site, running=running, ending=ending)

    def remove(self) -> None:
        """Delete it; raise UsageError while a worker lives."""
        if self.running:
            raise UsageError(f"The job {self.path.name} is still running.")
        shutil.rmtree(self.path, ignore_errors=True)


def failed(error: CrossbuildError) -> Outcome:
    """Return the outcome of a job that *error* ended."""
    complaint = Complaint(
        kind=type(error).__name__, brief=error.brief, details=error.details, resolution=error.resolution
    )
    return Outcome(ending=Ending.FAILED, complaint=complaint)


def job_folder(jobs: Path, name: str) -> JobFolder:
    """Return the folder of the job *name* below *jobs*; raise UsageError for a name that leads elsewhere."""
    if not is_name(name):
        raise UsageError(f"{name!r} is no job.")
    return JobFolder(jobs / name)


def all_folders(jobs: Path) -> list[JobFolder]:
    """Return the folders of all jobs in *jobs*."""
    found = (path for path in sorted(jobs.iterdir()) if path.is_dir() and is_name(path.name))
    return [JobFolder(path) for path in found if (path / names.ORDER).is_file()]


def require_own(jobs: Path) -> None:
    """Raise HostNotReadyError unless *jobs* is a folder that nobody else can write to or look into."""
    found = jobs.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise HostNotReadyError(
            f"{jobs} is not this user's alone.",
            details="Jobs of crossbuild lie there, and somebody else could change them.",
            resolution=f"Remove it, or run `chown {os.geteuid()} {jobs} && chmod 700 {jobs}`.",
        )
