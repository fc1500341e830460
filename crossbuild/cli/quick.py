"""`crossbuild run` in a container once more, without loading what reads command lines and configurations.

That takes longer than the engine does. So each run leaves a note of what it found out, which counts for as
long as nothing has changed that it was found out from: configuration, record, environment. Whatever is not as
usual, from an option to a lock that another run holds, is left to the command itself (`cli/run.py`).

A note is text: fields with a NUL behind each, which no path and no variable can hold. Importing what
reads JSON would take as long as all that is done here.
"""

from __future__ import annotations

import fcntl
import os
import sys
import zlib

from crossbuild import __version__
from crossbuild.builders.suspects import is_suspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DEFAULT = "default"
DECIDING = ("DOCKER_HOST", "CONTAINER_HOST", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
"""Variables that decide where configuration, records and engines are."""
WRITABLE_BY_OTHERS = 0o022


FOUND = ("socket", "container", "lock", "open")
"""What a run finds out; `open` is the folder of runs that may be in the middle of a change."""


class Request:
    """A command line that says no more than which builder is to run what."""

    def __init__(self, config: str, builder: str, command: Sequence[str]) -> None:
        self.config, self.builder, self.command = config, builder, tuple(command)


def attempt(words: Sequence[str]) -> int | None:
    """Do what the command line *words* asks for and return the exit status; None where it takes more.

    Raises CrossbuildError where the engine goes away while the command runs.
    """
    request = parsed(words)
    if request is None or None in {sys.stdin, sys.stdout, sys.stderr} or is_suspect(request.command[0]):
        return None
    note = _recalled(request)
    if note is None:
        return None
    # Held until this process ends, and by whoever outlives it to end the command.
    if not _takes(note["lock"]) or _has_entries(note["open"]):
        return None
    return _run(note, request.command)


def parsed(words: Sequence[str]) -> Request | None:
    """Return what `[--config FILE] run [--builder NAME] [--] COMMAND …` asks for, None for anything else."""
    rest, config, builder = list(words), "", DEFAULT
    if rest[:1] in (["-C"], ["--config"]):
        config, rest = "".join(rest[1:2]), rest[2:]
    if rest[:1] != ["run"]:
        return None
    rest = rest[1:]
    if rest[:1] in (["-b"], ["--builder"]):
        builder, rest = "".join(rest[1:2]), rest[2:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    elif rest and rest[0].startswith("-"):
        return None
    return Request(config, builder, rest) if rest and builder else None


def has_terminal() -> bool:
    """Say whether somebody reads and types; not for a run in the background, which may not touch it."""
    try:
        return os.isatty(1) and os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def leave_note(request: Request, files: Mapping[str, str], **found: str) -> None:
    """Let later runs know what was *found* (`FOUND`) for *request* from *files*, where that is possible.

    *files* are their `state_of` from before anything was read.
    """
    place = _place(request)
    fields = [*_conditions(request), *(found[name] for name in FOUND)]
    for path, state in files.items():
        fields += [path, state]
    scratch = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(b"".join(os.fsencode(field) + b"\0" for field in fields))
        os.rename(scratch, place)
    except OSError:
        return


def _recalled(request: Request) -> dict[str, str] | None:
    """Return what was found by the last run of *request*, None where that may be true no more."""
    try:
        with open(_place(request), "rb") as file:
            status = os.fstat(file.fileno())
            fields = os.fsdecode(file.read()).split("\0")
    except OSError:
        return None
    if status.st_uid != os.geteuid() or status.st_mode & WRITABLE_BY_OTHERS:
        return None
    conditions = _conditions(request)
    count = len(conditions)
    found, files = fields[count : count + len(FOUND)], fields[count + len(FOUND) : -1]
    # The end is compared, too: a note that was cut off says less than it did.
    if fields[:count] != conditions or len(files) < 2 or len(files) % 2 or fields[-1]:
        return None
    if any(state_of(path) != state for path, state in zip(files[::2], files[1::2], strict=True)):
        return None
    return dict(zip(FOUND, found, strict=True))


def _run(note: Mapping[str, str], command: Sequence[str]) -> int | None:
    from crossbuild.engines.execution import execute
    from crossbuild.engines.transport import EngineSilentError, RequestRefusedError
    from crossbuild.machines.environment import environment_inside

    try:
        return execute(
            note["socket"],
            note["container"],
            command,
            environment=environment_inside(),
            directory="/",
            terminal=has_terminal(),
        )
    except (EngineSilentError, RequestRefusedError):
        # Nothing has run yet. It may have to be started first.
        return None


def _conditions(request: Request) -> list[str]:
    """Return what must be as it was when a note was left."""
    environment = "\n".join(f"{name}={os.environ[name]}" for name in DECIDING if name in os.environ)
    return [__version__, *_key(request), environment]


def state_of(path: str) -> str:
    """Return what changes with each change of the file *path*; empty where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _takes(lock: str) -> bool:
    """Take the lock together with other runs; say whether that was possible at once."""
    try:
        fcntl.flock(os.open(lock, os.O_RDWR | os.O_CLOEXEC), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _has_entries(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except FileNotFoundError:
        return False


def _key(request: Request) -> list[str]:
    # As it stands: a path with links and dots in it may lead elsewhere than it reads.
    config = os.path.join(os.getcwd(), request.config) if request.config else ""
    return [config, request.builder]


def _place(request: Request) -> str:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    config, builder = _key(request)
    # Another name with the same checksum is told apart by what the note says of itself.
    return f"{cache}/crossbuild/runs/{builder}-{zlib.crc32(os.fsencode(config)):08x}"
