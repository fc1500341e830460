"""The web server of a boot."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from crossbuild.booting.web import Server

LOCAL = ("127.0.0.1", 0)


def test_only_the_files_of_the_set_are_served_and_requests_are_told(tmp_path: Path) -> None:
    (tmp_path / "rootfs").write_bytes(b"hsqs" * 1000)
    asked: list[str] = []
    server = Server({"/boot-images/node/rootfs": tmp_path / "rootfs"}, LOCAL)
    server.on_request = asked.append
    address = f"http://127.0.0.1:{server.port}"
    with server.serving():
        with urllib.request.urlopen(f"{address}/boot-images/node/rootfs?hwaddr=52:54") as answer:
            assert answer.read() == b"hsqs" * 1000
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/etc/passwd")
    assert asked == ["/boot-images/node/rootfs"]


def test_its_port_is_free_again_afterwards(tmp_path: Path) -> None:
    server = Server({}, LOCAL)
    with server.serving():
        pass
    again = Server({}, (LOCAL[0], server.port))
    with again.serving():
        assert again.port == server.port
