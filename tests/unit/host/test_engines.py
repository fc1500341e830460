from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.engines import find_engines, ping


@contextlib.contextmanager
def engine(path: Path, answer: bytes) -> Iterator[None]:
    """Answer one request at the socket *path*."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", ""),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answers with status 503"),
        (b"not HTTP\r\n\r\n", "Nothing answers"),
    ],
)
def test_only_an_engine_that_says_ok_is_there(tmp_path: Path, answer: bytes, reason: str) -> None:
    path = tmp_path / "socket"
    with engine(path, answer):
        complaint = ping(str(path))
    assert reason in complaint
    assert bool(complaint) == bool(reason)


def test_a_missing_socket_and_one_that_nobody_serves_are_told_apart(tmp_path: Path) -> None:
    assert "does not exist" in ping(str(tmp_path / "absent"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "dead"))
    assert "Nothing answers" in ping(str(tmp_path / "dead"))


def test_an_engine_on_another_host_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2376")
    docker, _ = find_engines()
    assert docker.reason == "tcp://elsewhere:2376 is not on this host."
