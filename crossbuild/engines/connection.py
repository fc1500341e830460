"""The door to the docker SDK, which speaks to Docker and, over its Docker-compatible socket, to Podman."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crossbuild.engines.service import wake
from crossbuild.errors import CrossbuildError, HostNotReadyError, StorageError, UsageError
from crossbuild.model.builder import EngineKind
from crossbuild.model.host import leading_version

OLDEST_API = (1, 40)
"""Docker 19.03 and Podman 3, the oldest that load images of another architecture as what they are."""
TIMEOUT = 600
"""Seconds that an engine may be silent: committing a large container says nothing until it is done."""


@dataclass(frozen=True, kw_only=True)
class EngineSession:
    """An engine that answers; the SDK is untyped, so its objects stay inside this package."""

    kind: EngineKind
    path: str
    """Of its Unix socket."""
    client: Any
    """A `docker.DockerClient`."""


@contextlib.contextmanager
def session(kind: EngineKind) -> Iterator[EngineSession]:
    """Yield a session with the engine, which is started where that is crossbuild's to do.

    What goes wrong in the block becomes a CrossbuildError. Raises HostNotReadyError.
    """
    import docker

    path = wake(kind)
    with told(kind):
        client = docker.DockerClient(base_url=f"unix://{path}", version="auto", timeout=TIMEOUT)
    with contextlib.closing(client), told(kind):
        require_recent(kind, client.version()["ApiVersion"])
        yield EngineSession(kind=kind, path=path, client=client)


def require_recent(kind: EngineKind, version: str) -> None:
    """Raise HostNotReadyError for an engine whose API *version*, such as `1.41`, is too old."""
    if leading_version(version) < OLDEST_API:
        raise HostNotReadyError(
            f"This {kind.value.title()} is too old.",
            details=f"Its API is {version}; crossbuild needs {OLDEST_API[0]}.{OLDEST_API[1]} or later.",
            resolution="Update to Docker 19.03, Podman 3 or later, or use `--engine sandbox`.",
        )


@contextlib.contextmanager
def told(kind: EngineKind) -> Iterator[None]:
    """Turn what the SDK raises in the block into a CrossbuildError."""
    from docker.errors import DockerException

    try:
        yield
    except CrossbuildError:
        raise
    # requests' exceptions are OSErrors.
    except (DockerException, OSError) as error:
        raise in_words(kind, error) from error


@dataclass(frozen=True, kw_only=True)
class _Complaint:
    """What an engine's message means."""

    pattern: str
    error: type[CrossbuildError]
    brief: str
    resolution: str


_COMPLAINTS = (
    _Complaint(
        pattern="no space left on device|disk quota exceeded",
        error=StorageError,
        brief="The disk of {engine} is full.",
        resolution="Free some space there (`{kind} system df` says what takes it) and run it again; "
        "the builder is as it was.",
    ),
    _Complaint(
        pattern="invalid reference format|invalid container name|invalid tag|must be lowercase|"
        "names must match",
        error=UsageError,
        brief="{engine} refuses that name.",
        resolution="Use lower-case letters and digits, joined by single dots, dashes or underscores.",
    ),
    _Complaint(
        pattern="permission denied",
        error=HostNotReadyError,
        brief="This user may not use {engine}.",
        resolution="Run the same command with `sudo`, or use `--engine sandbox`.",
    ),
    _Complaint(
        pattern="exec format error",
        error=HostNotReadyError,
        brief="{engine} cannot run aarch64 programs on this host.",
        resolution="Run `sudo crossbuild setup`.",
    ),
    _Complaint(
        pattern="catatonit|docker-init|init binary",
        error=HostNotReadyError,
        brief="{engine} lacks the init program of containers.",
        resolution="Install the package `catatonit` (Podman) or `tini` (Docker).",
    ),
    _Complaint(
        pattern="bind source path does not exist|no such file or directory.*mount|statfs",
        error=UsageError,
        brief="A folder that the builder shows does not exist.",
        resolution="Make the folder, or take it out of the configuration.",
    ),
    _Complaint(
        pattern="connection refused|connection aborted|connection reset|no such file or directory|timed out",
        error=HostNotReadyError,
        brief="{engine} does not answer any more.",
        resolution="Start it (`journalctl --unit {kind}` says why it stopped), and run the command again.",
    ),
)
"""The first one that matches counts."""


def in_words(kind: EngineKind, error: Exception) -> CrossbuildError:
    """Return what the SDK's *error* means to a user."""
    details = _details(error)
    words = {"engine": kind.value.title(), "kind": kind.value}
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        details = f"{details}: no space left on device"
    for complaint in _COMPLAINTS:
        if re.search(complaint.pattern, details, re.IGNORECASE):
            return complaint.error(
                complaint.brief.format(**words),
                details=details,
                resolution=complaint.resolution.format(**words),
            )
    return CrossbuildError(
        f"{words['engine']} could not do it.",
        details=details,
        resolution=f"`{kind.value} info` and the log of its service may say more.",
    )


def _details(error: Exception) -> str:
    explanation = getattr(error, "explanation", None)
    return str(explanation or error).strip()
