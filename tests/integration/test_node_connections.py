"""What passes through a connection to a node arrives as it was sent, or its loss is noticed."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import CommandFailedError, NodeUnreachableError
from crossbuild.host.command import capture
from crossbuild.nodes.host_keys import ask_host_keys
from crossbuild.nodes.ssh import Connection
from tests.integration.conftest import CROSSBUILD
from tests.integration.node_fixtures import (
    HOST,
    config,
    connection,
    hosts,
    store,
)
from tests.integration.node_rig import SSHD, Host, wait_for_server

__all__ = ["config", "connection", "hosts", "store"]

WORDS = ["echo", "a  b", "$HOME", "'x' \"y\"", "`id`", "ü\nz", "-n", "*", ""]


def test_words_arrive_as_they_were_sent(connection: Connection) -> None:
    argv = ["python3", "-c", "import sys; print(ascii(sys.argv[1:]))", *WORDS]
    assert connection.run(argv).stdout == f"{WORDS!a}\n"


@pytest.mark.parametrize("status", [1, 127, 254, 255])
def test_the_status_of_a_command_is_not_taken_for_that_of_ssh(connection: Connection, status: int) -> None:
    assert connection.run(["sh", "-c", f"exit {status}"], check=False).status == min(status, 254)


def test_more_sessions_than_the_server_likes_on_one_connection_work(connection: Connection) -> None:
    """MaxSessions of sshd is 10, and MaxStartups refuses some of ten logins at once (sshd_config(5))."""
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(connection.run(["sh", "-c", "sleep 1; echo x"]).stdout))
        for _ in range(25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["x\n"] * 25


def test_every_line_of_a_stream_arrives(connection: Connection) -> None:
    lines: list[str] = []
    connection.stream(["seq", "1", "10000"], lines.append)
    assert lines == [str(number) for number in range(1, 10001)]
    with pytest.raises(CommandFailedError) as caught:
        connection.stream(["sh", "-c", "echo because; exit 3"], lines.append)
    assert (caught.value.status, "because" in caught.value.details) == (3, True)


def test_a_copy_that_was_broken_off_is_finished(
    connection: Connection, hosts: Sequence[Host], tmp_path: Path
) -> None:
    content = bytes(range(256)) * 8192
    (tmp_path / "sent").write_bytes(content)
    there = PurePosixPath(hosts[HOST].space) / "a file"
    connection.send(tmp_path / "sent", there)
    (tmp_path / "got").write_bytes(content[:1_000_001])
    told: list[int] = []
    connection.fetch(there, tmp_path / "got", on_bytes=told.append)
    assert (tmp_path / "got").read_bytes() == content
    assert told[0] > 1_000_001
    with pytest.raises(CommandFailedError):
        connection.fetch(there.with_name("nothing"), tmp_path / "got")


def test_a_lost_connection_is_noticed_and_leaves_no_half_file(
    connection: Connection, hosts: Sequence[Host], tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3_000_000)
    there = hosts[HOST].space / "large"
    hosts[HOST].slow("2mbit")
    ended = threading.Event()

    def stop() -> None:
        part = there.with_name(f"{there.name}.part")
        while not (part.exists() and part.stat().st_size):
            if ended.wait(0.01):
                return
        hosts[HOST].stop()

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        with pytest.raises(NodeUnreachableError) as caught:
            connection.send(tmp_path / "large", PurePosixPath(there))
        assert caught.value.details == "The connection was lost."
    finally:
        ended.set()
        stopping.join()
        hosts[HOST].hasten()
        hosts[HOST].start()
    assert not there.exists()
    connection.send(tmp_path / "large", PurePosixPath(there))
    assert there.stat().st_size == 3_000_000


def test_a_stream_ends_when_its_host_is_cut_off(connection: Connection, hosts: Sequence[Host]) -> None:
    lines: list[str] = []

    def cut(line: str) -> None:
        if not lines:
            hosts[HOST].cut()
        lines.append(line)

    try:
        with pytest.raises(NodeUnreachableError):
            connection.stream(["sh", "-c", "while :; do echo x; sleep 0.2; done"], cut)
    finally:
        hosts[HOST].mend()
    assert connection.run(["echo", "back"]).stdout == "back\n"


def test_keys_are_asked_for_through_the_name_that_ssh_uses(hosts: Sequence[Host]) -> None:
    (key,) = ask_host_keys("x", f"root@{hosts[HOST].address}:22")
    assert key.fingerprint == hosts[HOST].fingerprint()


@pytest.fixture
def ssh_config(hosts: Sequence[Host], tmp_path: Path) -> Iterator[Path]:
    """A configuration of ssh in which `arm1` is a host behind another one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = (hosts[HOST].folder / "sshd_config").read_text()
    (tmp_path / "sshd_config").write_text(settings.replace(hosts[HOST].address, f"127.0.0.1:{port}"))
    sshd = [SSHD, "-D", "-e", "-f", str(tmp_path / "sshd_config")]
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host arm1\nHostName {hosts[HOST].address}\nProxyJump jump\n"
        f"Host jump\nHostName 127.0.0.1\nPort {port}\n"
        f"StrictHostKeyChecking accept-new\nUserKnownHostsFile {tmp_path}/known_hosts\n"
    )
    with subprocess.Popen(sshd, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as jump:
        try:
            wait_for_server(jump, "127.0.0.1", port)
            yield config
        finally:
            jump.terminate()


def test_names_and_jump_hosts_of_the_users_configuration_work(
    config: Path, ssh_config: Path, hosts: Sequence[Host], tmp_path: Path
) -> None:
    """The system's configuration is replaced, in a mount namespace: the user's is in a real home."""
    place = "/etc/ssh/ssh_config.d"
    script = (
        f'mount -t tmpfs tmpfs {place}; cp {ssh_config} {place}/arm1.conf; "$0" --config {config} node "$@"'
    )
    argv = ["unshare", "--mount", "sh", "-euc", script, str(CROSSBUILD)]
    given = ("--fingerprint", hosts[HOST].fingerprint(), "--folder", str(hosts[HOST].space))
    capture([*argv, "add", "arm1", *given])
    assert (tmp_path / "known_hosts").stat().st_size, "the way was another one"
    (found,) = json.loads(capture([*argv, "status", "--json"]).stdout)
    assert (found["address"], found["usable"]) == ("arm1", True)
