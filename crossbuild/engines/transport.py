"""As much of HTTP as running a command takes, over an engine's Unix socket.

Importing the docker SDK takes 180 ms and http.client 26 ms; a `docker exec` of true takes 82. This
takes 1 ms: `socket`, which is `_socket` with enumerations and buffers around it, would take 5, and `json` 8.
Requests are those of the Docker Engine API 1.40, which Docker 19.03 and Podman 3 have.
"""

from __future__ import annotations

import _socket

from crossbuild.errors import CrossbuildError, HostNotReadyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

API = "v1.40"
SWITCHING, OK = 101, 200


class EngineSilentError(HostNotReadyError):
    """Nothing answers at the engine's socket."""


class RequestRefusedError(CrossbuildError):
    """The engine answered with an error, whose words are the details."""

    def __init__(self, brief: str, *, status: int, details: str = "", resolution: str = "") -> None:
        """*status* is that of HTTP."""
        super().__init__(brief, details=details, resolution=resolution)
        self.status = status


class Connection:
    """One connection to the engine at the Unix socket *path*.

    Raises EngineSilentError wherever the engine is gone, RequestRefusedError for what it refuses.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.socket = _socket.socket(_socket.AF_UNIX)
        try:
            self.socket.connect(path)
        except OSError as error:
            self.socket.close()
            raise _silent(path, error) from error
        # Unbuffered: after an upgrade, the bytes that follow belong to the command.
        self._input = open(self.socket.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._input.close()
        self.socket.close()

    def request(self, method: str, path: str, body: str = "") -> bytes:
        """Ask, with JSON as *body*, and return what the engine answers: JSON, or nothing."""
        status, content = self._exchange(method, path, body, "")
        if status >= 400:
            raise _refused(status, content)
        return content

    def upgrade(self, path: str, body: str) -> None:
        """Turn the connection into the streams of a command (Engine API, "Attach": hijacking)."""
        status, content = self._exchange("POST", path, body, "Connection: Upgrade\r\nUpgrade: tcp\r\n")
        if status not in {SWITCHING, OK}:
            raise _refused(status, content)

    def _exchange(self, method: str, path: str, body: str, headers: str) -> tuple[int, bytes]:
        content = body.encode()
        head = (
            f"{method} /{API}{path} HTTP/1.1\r\n"
            "Host: localhost\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n"
            f"{headers}\r\n"
        )
        try:
            self.socket.sendall(head.encode() + content)
            return self._answer(upgrading=bool(headers))
        except (OSError, ValueError, IndexError) as error:
            raise _silent(self._path, error) from error

    def _answer(self, *, upgrading: bool) -> tuple[int, bytes]:
        status = int(self._line().split()[1])
        headers = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip().lower()
        if status == SWITCHING or (upgrading and status == OK):
            return status, b""
        if headers.get(b"transfer-encoding") == b"chunked":
            return status, self._chunks()
        return status, self._exactly(int(headers.get(b"content-length", b"0")))

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self._line().split(b";")[0], 16):
            content += self._exactly(size)
            self._line()
        self._line()
        return content

    def _line(self) -> bytes:
        line = self._input.readline()
        if not line:
            raise ConnectionResetError("The engine closed the connection.")
        return line.rstrip(b"\r\n")

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            if not (part := self._input.read(size - len(content))):
                raise ConnectionResetError("The engine closed the connection.")
            content += part
        return content


def _silent(path: str, error: Exception) -> EngineSilentError:
    if isinstance(error, PermissionError):
        return EngineSilentError(
            "This user may not use the container engine.",
            details=f"{path}: {error.strerror}",
            resolution="Run the same command with `sudo`.",
        )
    return EngineSilentError(
        "The container engine does not answer.",
        details=f"{path}: {error}",
        resolution="Start it (`sudo systemctl start docker`, `sudo systemctl start podman.socket`), "
        "or run `crossbuild doctor`.",
    )


def _refused(status: int, content: bytes) -> RequestRefusedError:
    import json

    text = content.decode(errors="replace").strip()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    message = answer.get("message", text) if isinstance(answer, dict) else text
    return RequestRefusedError("The container engine refused.", status=status, details=str(message))
