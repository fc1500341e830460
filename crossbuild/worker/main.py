"""The worker's command line: `python3 -I WORKER COMMAND JOBS …`, spoken by `crossbuild.jobs.speaking`.

Answers are JSON, but for `follow`: it repeats the file of events, with empty lines while nothing happens, and
ends with a line that no event looks like.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from crossbuild.errors import CrossbuildError, UsageError
from crossbuild.host.locks import held
from crossbuild.model import job as names
from crossbuild.model.codec import encode
from crossbuild.model.job import Ending, Outcome, Receipt
from crossbuild.worker.folder import (
    CancelledError,
    JobFolder,
    all_folders,
    job_folder,
    require_own,
)

LOOK = 0.1
"""Seconds between two looks at what has happened."""
ALIVE = 5.0
"""Seconds of silence after which an empty line shows that the connection is there."""
GRACE = 10.0
"""Seconds that a worker gets to end by itself; it has nothing to save."""


def main() -> int:
    """Do what the command line says; return the exit status of the error, told on stderr, or 0."""
    try:
        command, jobs, *rest = sys.argv[1:]
        COMMANDS[command](Path(jobs), *rest)
    except CrossbuildError as error:
        return _complain(error)
    except BrokenPipeError:
        # Who listened is gone. Python would flush once more, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        from crossbuild.pipeline.failures import as_error

        return _complain(as_error(error))
    return 0


def take(jobs: Path, job: str) -> None:
    """Take a new *job*, whose order is read from stdin, and write what is here of it."""
    _answer(encode(_taken(jobs, job)))


def begin(jobs: Path, job: str) -> None:
    """Take a new *job* as `take` does, and start it unless something must be sent first."""
    receipt = _taken(jobs, job)
    if receipt.tree:
        start(jobs, job)
    _answer(encode(replace(receipt, begun=bool(receipt.tree))))


def _taken(jobs: Path, job: str) -> Receipt:
    from crossbuild.executors.layer_cache import LayerCache
    from crossbuild.host.workspace import scatter

    require_own(jobs)
    scatter(jobs)
    folder = job_folder(jobs, job)
    try:
        folder.path.mkdir(mode=0o700)
    except FileExistsError as error:
        raise UsageError(f"There is a job {job} already.") from error
    (folder.path / names.ORDER).write_text(sys.stdin.read(), encoding="ascii")
    cache = LayerCache(jobs / names.CACHE / "layers", lambda _message: None)
    kept = [layer for layer in folder.order().layers if layer.kept]
    there = [layer for layer in kept if cache.reserve(layer)]
    complete = bool(kept) and there[-1:] == kept[-1:]
    return Receipt(tree=cache.sha256(kept[-1]) if complete else "")


def start(jobs: Path, job: str) -> None:
    """Begin to work on *job* in a process of its own, which outlives this one and the connection."""
    require_own(jobs)
    folder = job_folder(jobs, job)
    ready, tell = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        os.setsid()
        # Not a session's first process any more: no terminal can become its own.
        if os.fork():
            os._exit(0)
        _detach(folder)
        _run(jobs, folder, lambda: os.close(tell))
        os._exit(0)
    os.close(tell)
    # Ends when the worker holds its lock, or is dead.
    os.read(ready, 1)


def work(jobs: Path, job: str) -> None:
    """Work on *job* to its end in this process, which is the first of a container."""
    require_own(jobs)
    folder = job_folder(jobs, job)
    _detach(folder)
    _run(jobs, folder, lambda: None)


def run(jobs: Path, job: str, space: str) -> None:
    """Work on *job* to its end, below the folder *space* of this host's own disk."""
    from crossbuild.host.workspace import workspace
    from crossbuild.worker.rights import became_root

    folder = job_folder(jobs, job)
    if not became_root(folder):
        return
    Path(space).mkdir(mode=0o700, parents=True, exist_ok=True)
    require_own(Path(space))
    # What a job left there that was killed goes now.
    with workspace(Path(space), job) as own:
        _run(jobs, replace(folder, space=own), lambda: None)


def _run(jobs: Path, folder: JobFolder, begun: Callable[[], None]) -> None:
    """Work on the job of *folder*; call *begun* once others can see that somebody does."""
    from crossbuild.worker import work as making
    from crossbuild.worker.rights import became_root

    require_own(jobs)
    if not became_root(folder):
        return
    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _cancel)
    with held(folder.lock):
        folder.pid.write_text(str(os.getpid()))
        begun()
        if folder.outcome() is None:
            making.work(folder, jobs)


def follow(jobs: Path, job: str, offset: str) -> None:
    """Write what happened since *offset* bytes of events, and what happens, until the job has ended."""
    folder = job_folder(jobs, job)
    for line in _lines(folder, int(offset)):
        sys.stdout.write(line)
        sys.stdout.flush()
    outcome = folder.outcome() or Outcome(ending=Ending.VANISHED)
    sys.stdout.write(f"{names.END}{json.dumps(encode(outcome))}\n")


def cancel(jobs: Path, job: str) -> None:
    """End the worker of *job*, if it lives; what it was doing goes with it."""
    folder = job_folder(jobs, job)
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        if not folder.running:
            break
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, ValueError):
            os.kill(int(folder.pid.read_text()), number)
        _wait(lambda: not folder.running, patience)
    if folder.path.is_dir() and folder.outcome() is None:
        # On a full disk nothing can be written down: who follows hears that it has vanished.
        with contextlib.suppress(OSError):
            folder.conclude(Outcome(ending=Ending.CANCELLED))


def remove(jobs: Path, job: str) -> None:
    """Delete all that is left of *job*; a worker that has said its last word gets the time to end."""
    from crossbuild.worker.rights import remove_all

    folder = job_folder(jobs, job)
    if folder.outcome():
        _wait(lambda: not folder.running, GRACE)
    remove_all(folder)


def jobs(jobs: Path) -> None:
    """Write what is to be said of each job."""
    _answer([encode(folder.standing()) for folder in all_folders(jobs)])


COMMANDS: Mapping[str, Callable[..., None]] = {
    "take": take,
    "begin": begin,
    "start": start,
    "work": work,
    "run": run,
    "follow": follow,
    "cancel": cancel,
    "remove": remove,
    "jobs": jobs,
}


def _complain(error: CrossbuildError) -> int:
    sys.stderr.write("\n".join(filter(None, (error.brief, error.details, error.resolution))) + "\n")
    return error.exit_code


def _answer(document: object) -> None:
    sys.stdout.write(f"{json.dumps(document)}\n")


def _cancel(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        # Once is enough: a second one would interrupt the cleaning up.
        signal.signal(number, signal.SIG_IGN)
    raise CancelledError


def _detach(folder: JobFolder) -> None:
    """Leave the streams of who started this process: ssh waits for them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    complaints = os.open(
        folder.path / names.COMPLAINTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    for source, target in ((nothing, 0), (nothing, 1), (complaints, 2)):
        os.dup2(source, target)


def _lines(folder: JobFolder, offset: int) -> Iterator[str]:
    """Yield whole lines of events from *offset* on, and an empty one now and then, until the end."""
    silent = time.monotonic()
    while True:
        # Looked at first: what was written before the end is read after it.
        ended = folder.outcome() is not None or not folder.running
        text = _from(folder.events, offset)
        if text:
            offset += len(text)
            silent = time.monotonic()
            yield text
        elif ended:
            return
        elif time.monotonic() - silent > ALIVE:
            silent = time.monotonic()
            yield "\n"
        if not ended:
            time.sleep(LOOK)


def _from(path: Path, offset: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            found = file.read()
    except FileNotFoundError:
        return ""
    return found[: found.rfind(b"\n") + 1].decode("ascii")


def _wait(done: Callable[[], bool], patience: float) -> None:
    until = time.monotonic() + patience
    while not done() and time.monotonic() < until:
        time.sleep(LOOK)
