"""An engine that says what a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path


@contextlib.contextmanager
def engine(path: Path, answers: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Answer one connection after the other at the socket *path*; yield the requests."""
    requests: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            for answer in answers:
                client, _ = server.accept()
                with client:
                    requests.append(client.recv(1 << 16))
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield requests
        thread.join()


def answer(status: int, body: bytes) -> bytes:
    """Return an answer as engines write it."""
    return b"HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
