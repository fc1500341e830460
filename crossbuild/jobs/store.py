"""The records of builds: STATE/jobs/ID/job.json, and what is needed to finish one that goes on elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from crossbuild.errors import CrossbuildError, UsageError
from crossbuild.host.locks import held, held_if_free, is_held
from crossbuild.model.codec import decode, encode
from crossbuild.model.job import Commission, Job, JobState
from crossbuild.model.plan import Venue
from crossbuild.model.spec import is_name

RECORD, COMMISSION, LOCK, PID = "job.json", "commission.json", ".lock", "pid"
SITE = "site"
"""The id of this installation, by which nodes tell its jobs from those of others."""
KEPT = 100
"""How many jobs that are over stay."""
LONGEST = 40
"""Of an image's name what its jobs are called by."""

Value = TypeVar("Value")


class JobStore:
    """The builds of this installation. Any number of processes may use it at a time."""

    def __init__(self, state: Path) -> None:
        """Keep them below the folder *state* of the site."""
        self.folder = state / "jobs"

    @contextlib.contextmanager
    def opened(self, name: str, target: Path) -> Iterator[Job]:
        """Make the record of a new build of the image *name*, which is this process's for the block."""
        job = Job(
            id=f"{name[:LONGEST]}-{secrets.token_hex(4)}",
            name=name,
            target=target,
            state=JobState.WAITING,
            venue=None,
            created=_now(),
        )
        self._prune()
        (self.folder / job.id).mkdir(mode=0o700, parents=True)
        with self.owned(job.id):
            self.save(job)
            yield job

    @contextlib.contextmanager
    def owned(self, job: str) -> Iterator[None]:
        """Be the process that finishes *job*; raise UsageError while another one is."""
        with held_if_free(self.folder / job / LOCK) as free:
            if not free:
                raise UsageError(
                    f"Another crossbuild process looks after the job {job}.",
                    resolution=f"`crossbuild job logs {job}` shows what it does.",
                )
            (self.folder / job / PID).write_text(str(os.getpid()), encoding="ascii")
            yield

    def owner(self, job: str) -> int | None:
        """Return the id of the process that looks after *job*, None where none does."""
        if not is_held(self.folder / job / LOCK):
            return None
        return int((self.folder / job / PID).read_text(encoding="ascii"))

    def save(self, job: Job) -> Job:
        """Write *job* down and return it."""
        self._write(job.id, RECORD, job)
        return job

    def close(self, job: str, state: JobState, brief: str = "") -> None:
        """Write down that *job* is over; *brief* says why it failed."""
        self.save(replace(self.load(job), state=state, brief=brief, ended=_now()))
        self.forget_commission(job)

    def goes_on(self, job: str) -> bool:
        """Tell whether *job* may be finished by another process."""
        return (self.folder / job / COMMISSION).is_file()

    def forget_commission(self, job: str) -> None:
        """Write down that nothing of *job* goes on elsewhere."""
        (self.folder / job / COMMISSION).unlink(missing_ok=True)

    def commission(self, job: Job, venue: Venue, what: Commission | None) -> Job:
        """Write down where *job* runs and *what* it takes to finish it from elsewhere; return it."""
        if what:
            self._write(job.id, COMMISSION, what)
        return self.save(replace(job, venue=venue, state=JobState.RUNNING))

    def load(self, job: str) -> Job:
        """Return the job of that id, or of the only id that begins so; raise UsageError for none."""
        found = [known for known in self._ids() if known == job or (job and known.startswith(job))]
        if len(found) != 1:
            raise UsageError(
                f"There is no job `{job}`." if not found else f"`{job}` is the beginning of several jobs.",
                details="\n".join(found),
                resolution="`crossbuild job list` shows all.",
            )
        return self._read(Job, found[0], RECORD)

    def log(self, job: str) -> Path:
        """Return where the log of *job* is."""
        return self.folder / job / "build.log"

    def load_commission(self, job: Job) -> Commission:
        """Return what it takes to finish *job*."""
        return self._read(Commission, job.id, COMMISSION)

    def all(self) -> tuple[Job, ...]:
        """Return every job, the oldest first."""
        found = []
        for job in self._ids():
            # One may be pruned between the listing and the reading.
            with contextlib.suppress(FileNotFoundError):
                found.append(self._read(Job, job, RECORD))
        return tuple(sorted(found, key=lambda job: (job.created, job.id)))

    def remove(self, job: str) -> None:
        """Forget *job*."""
        shutil.rmtree(self.folder / job)

    @property
    def site(self) -> str:
        """The id of this installation, made now if it has none."""
        file = self.folder / SITE
        with held(self.folder / f".{SITE}.lock"):
            if not file.is_file():
                file.write_text(secrets.token_hex(8), encoding="ascii")
            return file.read_text(encoding="ascii")

    def _ids(self) -> list[str]:
        found = sorted(self.folder.glob(f"*/{RECORD}"))
        return [path.parent.name for path in found if is_name(path.parent.name)]

    def _prune(self) -> None:
        over = [job for job in self.all() if job.state.over]
        for job in over[:-KEPT]:
            shutil.rmtree(self.folder / job.id, ignore_errors=True)

    def _write(self, job: str, name: str, value: object) -> None:
        scratch = self.folder / job / f".{name}"
        scratch.write_text(json.dumps(encode(value), indent=1), encoding="ascii")
        scratch.rename(self.folder / job / name)

    def _read(self, kind: type[Value], job: str, name: str) -> Value:
        path = self.folder / job / name
        try:
            return decode(kind, json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            raise CrossbuildError(
                f"The record of the job `{job}` cannot be read.",
                details=f"{path}: {error}",
                resolution=f"It is damaged, or another version's. Delete {path.parent}.",
            ) from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
