"""Long-lived containers, which change hands in one step: the new one is complete before the old one goes."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from crossbuild.engines.connection import EngineSession, told
from crossbuild.errors import ArtifactError, HostNotReadyError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Mount

NEXT, PREVIOUS = ".next", ".previous"
"""Names of the container that is being made, and of the one that is about to go."""
STOP = 2
"""Seconds that what runs in a container has to end before it is killed."""
KEEP_ALIVE = ("sleep", "infinity")
IDLE_PROCESSES = 3
"""The engine's init, the above, and who counts."""


@dataclass(frozen=True, kw_only=True)
class ContainerSettings:
    """What a container is made of."""

    name: str
    image: str
    arch: Architecture
    """Also its host name, so that a prompt says where it is."""
    mounts: tuple[Mount, ...]
    labels: Mapping[str, str]


def install(session: EngineSession, settings: ContainerSettings) -> None:
    """Start the container and put it in the place of the one of that name, if there is one.

    Killed at any moment, `settle` finishes or undoes it. Raises ArtifactError where its programs are not for
    the architecture of *settings*.
    """
    settle(session, settings.name)
    coming = settings.name + NEXT
    try:
        with told(session.kind):
            created = session.client.api.create_container(**_request(session, settings))
            session.client.api.start(created["Id"])
        _prove(session, coming, settings.arch)
    except BaseException:
        discard(session, coming)
        raise
    _swap(session, settings.name)


def settle(session: EngineSession, name: str) -> None:
    """Finish a replacement of the container *name* that was killed."""
    if labels(session, name) is None:
        if labels(session, name + PREVIOUS) is not None:
            complete = NEXT if labels(session, name + NEXT) is not None else PREVIOUS
            _rename(session, name + complete, name)
    else:
        discard(session, name + NEXT)
    discard(session, name + PREVIOUS)


def start(session: EngineSession, name: str) -> bool:
    """Start the container *name* if it does not run; say whether there is one."""
    from docker.errors import NotFound

    with told(session.kind):
        try:
            session.client.api.start(name)
        except NotFound:
            return False
    return True


def labels(session: EngineSession, name: str) -> Mapping[str, str] | None:
    """Return the labels of the container *name*, None where there is none."""
    from docker.errors import NotFound

    with told(session.kind):
        try:
            return dict(session.client.api.inspect_container(name)["Config"]["Labels"] or {})
        except NotFound:
            return None


def image_of(session: EngineSession, name: str) -> str:
    """Return the id of the image of which the container *name* was made."""
    with told(session.kind):
        return str(session.client.api.inspect_container(name)["Image"])


def is_busy(session: EngineSession, name: str) -> bool:
    """Say whether anything runs in the container *name* but what keeps it alive."""
    # Not by the engine's own list of processes: Podman's is empty for Docker's clients.
    with told(session.kind):
        container = session.client.containers.get(name)
        if container.status != "running":
            return False
        _, output = container.exec_run(["ls", "/proc"])
    return sum(1 for word in output.split() if word.isdigit()) > IDLE_PROCESSES


def export(session: EngineSession, name: str) -> Iterator[bytes]:
    """Yield the files of the container *name* as a tar, without what is mounted in it."""
    with told(session.kind):
        yield from session.client.api.export(name)


def read(session: EngineSession, name: str, path: PurePosixPath) -> bytes | None:
    """Return what the plain file *path* of the container *name* holds; None where it has none there."""
    from docker.errors import NotFound

    with told(session.kind):
        try:
            blocks, _ = session.client.api.get_archive(name, str(path))
        except NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(blocks))) as archive:
            member = archive.next()
            file = archive.extractfile(member) if member and member.isreg() else None
            return file.read() if file else None


def discard(session: EngineSession, name: str) -> None:
    """Remove the container *name*, running or not; none is no error."""
    from docker.errors import NotFound

    with told(session.kind), contextlib.suppress(NotFound):
        session.client.api.remove_container(name, force=True, v=True)


def _swap(session: EngineSession, name: str) -> None:
    if labels(session, name) is not None:
        with told(session.kind):
            session.client.api.stop(name, timeout=STOP)
        _rename(session, name, name + PREVIOUS)
    _rename(session, name + NEXT, name)
    discard(session, name + PREVIOUS)


def _rename(session: EngineSession, old: str, new: str) -> None:
    with told(session.kind):
        session.client.api.rename(old, new)


def _prove(session: EngineSession, name: str, arch: Architecture) -> None:
    """Raise unless a program of the container runs, and says that it is made for *arch*."""
    with told(session.kind):
        status, output = session.client.containers.get(name).exec_run(["uname", "-m"])
    answer = output.decode(errors="replace").strip()
    if status and "exec format error" in answer.lower():
        raise HostNotReadyError(
            f"This host cannot run {arch} programs in containers.",
            details=answer,
            resolution="Run `sudo crossbuild setup`.",
        )
    if answer != arch.value:
        raise ArtifactError(
            f"What is in this image is not for {arch}.",
            details=f"`uname -m` in it: {answer or f'status {status}'}",
            resolution=f"Name a root or an image for {arch}.",
        )


def _request(session: EngineSession, settings: ContainerSettings) -> dict[str, Any]:
    from docker.types import Mount as Bind

    api = session.client.api
    binds = [
        Bind(target=str(mount.target), source=str(mount.source), type="bind", read_only=mount.read_only)
        for mount in settings.mounts
    ]
    return {
        "name": settings.name + NEXT,
        "image": settings.image,
        "command": list(KEEP_ALIVE),
        "entrypoint": [],  # of the image: it would get that command as its arguments
        "user": "0:0",
        "hostname": settings.arch.value,
        "labels": dict(settings.labels),
        "host_config": api.create_host_config(
            init=True,  # a native one: it reaps what commands leave behind
            restart_policy={"Name": "unless-stopped"},
            # As in crossbuild's sandbox: proxies and mirrors on this host are reached.
            network_mode="host",
            mounts=binds,
            tmpfs={"/run": "rw,nosuid,nodev,mode=755"},  # empty after a reboot, as packages expect
            # SELinux: the mounted trees keep the labels under which NFS exports them.
            security_opt=["label=disable"],
        ),
    }
