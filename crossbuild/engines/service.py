"""Finds an engine's socket, and starts Podman's service where nobody has.

Docker is a daemon that the administrator starts. Podman is not: its service is made for being started on
demand, by systemd's socket unit or, without systemd, by whoever needs it (podman-system-service(1)).
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from crossbuild.errors import CommandFailedError, HostNotReadyError
from crossbuild.host.command import capture, detached, environment, find
from crossbuild.host.engine_sockets import engine_address, socket_path
from crossbuild.host.engines import ping
from crossbuild.host.facts import systemd_runs
from crossbuild.host.requirements import family_of, install_command, package_for, read_os_release
from crossbuild.model.builder import EngineKind

IDLE = 300
"""Seconds after its last request at which a service that crossbuild started ends by itself."""
PATIENCE = 10
"""Seconds that Podman may take until its socket answers."""
_PAUSE = 0.05
_PROGRAMS = {EngineKind.DOCKER: "dockerd", EngineKind.PODMAN: "podman"}
"""What an installed engine has on this host."""


def wake(kind: EngineKind) -> str:
    """Return the path of the engine's Unix socket, where it answers; raise HostNotReadyError.

    Podman's service is started if it is not there. It then ends by itself once nobody uses it.
    """
    path = _path(kind)
    if not (reason := ping(path)):
        return path
    if not find(_PROGRAMS[kind]):
        raise _not_installed(kind, reason)
    if kind is EngineKind.PODMAN and "may not open" not in reason:
        return _start_podman(path)
    raise _silent(kind, reason)


def _path(kind: EngineKind) -> str:
    address = engine_address(kind.value)
    if path := socket_path(address):
        return path
    raise HostNotReadyError(
        f"This {kind.value.title()} is not on this host.",
        details=f"Its address is {address}; a builder's folders are on this host.",
        resolution="Unset DOCKER_HOST or CONTAINER_HOST, or use `--engine sandbox`.",
    )


def _start_podman(path: str) -> str:
    if systemd_runs():
        with contextlib.suppress(CommandFailedError):
            capture(["systemctl", "start", "podman.socket"])
    if ping(path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Where CONTAINER_HOST says where the service is, podman is its client and nothing else.
        env = {name: value for name, value in environment().items() if name != "CONTAINER_HOST"}
        detached(["podman", "system", "service", f"--time={IDLE}", f"unix://{path}"], env=env)
    deadline = time.monotonic() + PATIENCE
    while reason := ping(path):
        if time.monotonic() > deadline:
            raise _silent(EngineKind.PODMAN, reason)
        time.sleep(_PAUSE)
    return path


def _not_installed(kind: EngineKind, reason: str) -> HostNotReadyError:
    family = family_of(read_os_release())
    package = package_for(_PROGRAMS[kind], family)
    command = install_command(family, (package,) if package else ())
    return HostNotReadyError(
        f"{kind.value.title()} is not installed.",
        details=reason,
        resolution=f"{f'Run `{command}`' if command else 'Install it'}, or use `--engine sandbox`.",
    )


def _silent(kind: EngineKind, reason: str) -> HostNotReadyError:
    if "may not open" in reason:
        resolution = "Run the same command with `sudo`, or use `--engine sandbox`."
    else:
        unit = "docker" if kind is EngineKind.DOCKER else "podman.socket"
        resolution = f"Run `sudo systemctl start {unit}`, or use `--engine sandbox`."
    return HostNotReadyError(f"{kind.value.title()} does not answer.", details=reason, resolution=resolution)
