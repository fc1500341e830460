"""Where the container engines of this host listen; a module of its own because importing it costs nothing."""

from __future__ import annotations

import os

PODMAN_SOCKET = "podman/podman.sock"
"""Below /run, or a user's runtime folder (podman-system-service(1))."""


def engine_address(name: str) -> str:
    """Return the address of `docker` or `podman`, as their own clients find it: `unix:///run/…`.

    A client's variable wins: DOCKER_HOST (docker(1)), CONTAINER_HOST (podman(1)).
    """
    if name == "docker":
        return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = "/run" if os.geteuid() == 0 or not runtime else runtime
    return os.environ.get("CONTAINER_HOST") or f"unix://{folder}/{PODMAN_SOCKET}"


def socket_path(address: str) -> str | None:
    """Return the path of the Unix socket that *address* names, None for an engine on another host."""
    scheme, _, path = address.partition("://")
    return path if scheme == "unix" else None
