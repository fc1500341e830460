"""What surrounds every build: its lock, its log, its record, and failures put into words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from crossbuild.errors import CommandFailedError, CrossbuildError
from crossbuild.host.locks import locked
from crossbuild.host.timings import Timings
from crossbuild.jobs.store import JobStore
from crossbuild.model.events import EventSink, Notice
from crossbuild.model.job import Job, JobState
from crossbuild.model.site import Site
from crossbuild.pipeline.failures import as_error
from crossbuild.pipeline.narrator import Narrator


def log_of(site: Site, name: str) -> Path:
    """Return where the log of the image *name* is, of its latest build."""
    return site.state / "logs" / f"{name}.log"


@contextmanager
def narrated(
    name: str, site: Site, target: Path, on_event: EventSink, *, resumed: bool = False
) -> Iterator[Narrator]:
    """Hold the lock of *target*, keep a log, and put every failure into words; a *resumed* log goes on."""
    log_path = log_of(site, name)
    # Modes of what is made must not depend on who calls.
    umask = os.umask(0o022)
    try:
        with (
            locked(target, f"`{name}`", lambda message: on_event(Notice(message=message))),
            _opened(log_path, resumed=resumed) as log,
        ):
            narrator = Narrator(name, on_event, Timings(site.state / "timings.json"), log, log_path)
            try:
                yield narrator
            except CommandFailedError as error:
                raise _with_log(narrator.explain(error), log_path) from error
    except BrokenPipeError:
        # Whoever listened to the events has left: no matter of files.
        raise
    except OSError as error:
        raise _with_log(as_error(error), log_path) from error
    finally:
        os.umask(umask)


@contextmanager
def recorded(store: JobStore, name: str, target: Path, log: Path) -> Iterator[Job]:
    """Keep a record of the block, which is the build of the image *name*, and of its *log*."""
    with store.opened(name, target) as job, concluded(store, job.id):
        try:
            store.log(job.id).hardlink_to(log)
        except FileNotFoundError:
            # The lock is of the target: one of the same name, for another folder, has just begun its own log.
            store.log(job.id).write_text(
                "Another image of that name was built at the same time.\n", encoding="utf-8"
            )
        yield job


@contextmanager
def concluded(store: JobStore, job: str) -> Iterator[None]:
    """Write down how the block, which works on *job*, ends; what goes on elsewhere has not ended."""
    try:
        yield
    except (CrossbuildError, OSError) as error:
        if store.goes_on(job):
            if isinstance(error, CrossbuildError):
                error.resolution = (
                    f"{error.resolution} `crossbuild job attach {job}` goes on with it.".lstrip()
                )
        else:
            store.close(job, JobState.FAILED, str(error))
        raise
    except BaseException:
        if not store.goes_on(job):
            store.close(job, JobState.CANCELLED)
        raise
    store.close(job, JobState.DONE)


def _opened(log: Path, *, resumed: bool) -> TextIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    if not resumed:
        # Records of earlier builds keep theirs.
        log.unlink(missing_ok=True)
    return log.open("a" if resumed else "w", encoding="utf-8")


def _with_log(error: CrossbuildError, log_path: Path) -> CrossbuildError:
    error.details = f"{error.details}\nThe whole log: {log_path}".lstrip()
    return error
