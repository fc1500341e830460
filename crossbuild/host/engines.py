"""Which container engines answer, asked through their sockets; the engines themselves are used elsewhere."""

from __future__ import annotations

import http.client
import socket

from crossbuild.host.command import find
from crossbuild.host.engine_sockets import engine_address, socket_path
from crossbuild.model.host import Engine

TIMEOUT = 0.5
"""Seconds that an engine on this host may take to say that it is there."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


def find_engines() -> tuple[Engine, ...]:
    """Return Docker and Podman as they are here, whether they answer or not."""
    return tuple(_engine(name, engine_address(name)) for name in ("docker", "podman"))


def ping(path: str) -> str:
    """Ask the engine at the Unix socket *path* whether it is there; return why not, empty where it is.

    `GET /_ping` is answered by both (Docker Engine API, "SystemPing").
    """
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/_ping")
        status = connection.getresponse().status
    except PermissionError:
        return f"This user may not open {path}."
    except FileNotFoundError:
        return f"{path} does not exist."
    except (OSError, http.client.HTTPException) as error:
        return f"Nothing answers at {path}: {error}."
    finally:
        connection.close()
    return "" if status == http.client.OK else f"{path} answers with status {status}."


def _engine(name: str, address: str) -> Engine:
    path = socket_path(address)
    reason = ping(path) if path else f"{address} is not on this host."
    return Engine(name=name, client=find(name) or "", socket=address, reason=reason)
