from __future__ import annotations

import socket
from pathlib import Path

import pytest

from crossbuild.engines.transport import Connection, EngineSilentError, RequestRefusedError
from tests.unit.engines.servers import answer, engine

CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3;x=y\r\n:1}\r\n0\r\n\r\n'


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(answer(200, b'{"a":1}'), b'{"a":1}', id="with a length"),
        pytest.param(CHUNKED, b'{"a":1}', id="in chunks"),
        pytest.param(answer(204, b""), b"", id="nothing"),
    ],
)
def test_an_answer_is_read_whole(tmp_path: Path, sent: bytes, expected: bytes) -> None:
    path = tmp_path / "socket"
    with engine(path, [sent]) as requests, Connection(str(path)) as connection:
        assert connection.request("POST", "/containers/x/exec", '{"Cmd": ["x"]}') == expected
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1.40/containers/x/exec HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body == b'{"Cmd": ["x"]}'


@pytest.mark.parametrize("body", [b'{"message":"is not running"}', b"is not running"])
def test_a_refusal_carries_status_and_words(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "socket"
    with (
        engine(path, [answer(409, body)]),
        Connection(str(path)) as connection,
        pytest.raises(RequestRefusedError) as caught,
    ):
        connection.request("GET", "/x")
    assert (caught.value.status, caught.value.details) == (409, "is not running")


def test_what_follows_an_upgrade_is_left_for_the_command(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    switched = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst words"
    with engine(path, [switched]), Connection(str(path)) as connection:
        connection.upgrade("/exec/1/start", "{}")
        assert connection.socket.recv(100) == b"first words"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n"])
def test_an_engine_that_goes_is_told(tmp_path: Path, sent: bytes) -> None:
    path = tmp_path / "socket"
    with (
        engine(path, [sent]),
        Connection(str(path)) as connection,
        pytest.raises(EngineSilentError),
    ):
        connection.request("GET", "/x")


def test_no_engine_is_told_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with pytest.raises(EngineSilentError) as caught:
        Connection(str(path))
    assert str(path) in caught.value.details
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(EngineSilentError):
        Connection(str(path))
