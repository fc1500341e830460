"""Hosts become nodes, prove who they are, and are found out when they are not what they should be."""

from __future__ import annotations

import json
import os
import pty
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import ArtifactError, CommandFailedError, HostKeyError, NodeUnreachableError
from crossbuild.host.command import CommandResult, capture
from crossbuild.nodes.host_keys import ask_host_keys
from crossbuild.nodes.ssh import Connection, connect
from crossbuild.nodes.store import NodeStore
from tests.integration.conftest import CROSSBUILD, CommandLine
from tests.integration.ims_rig import in_process
from tests.integration.node_rig import SSHD, Host, running_hosts, wait_for_server

HOST, OTHER = 0, 1


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, ...]]:
    with running_hosts(2) as found:
        yield found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"state: {tmp_path}/state\nprefix: {tmp_path}/prefix\n")
    return path


@pytest.fixture
def store(tmp_path: Path) -> NodeStore:
    return NodeStore(tmp_path / "state")


@pytest.fixture
def node(config: Path) -> Callable[..., CommandResult]:
    """Runs `crossbuild node …`."""
    return lambda *words: in_process("--config", str(config), "node", *words)


@pytest.fixture
def connection(store: NodeStore, hosts: Sequence[Host]) -> Iterator[Connection]:
    found = hosts[HOST].node()
    store.add(found)
    made = connect(store, found)
    yield made
    made.close()


def fingerprint(host: Host) -> str:
    """What the host's own console shows."""
    return capture(["ssh-keygen", "-l", "-f", f"{host.folder}/host_key.pub"]).stdout.split()[1]


def add(node: Callable[..., CommandResult], host: Host, *options: str) -> CommandResult:
    where = ("--folder", str(host.space), "--name", host.name)
    return node("add", host.address, "--fingerprint", fingerprint(host), *where, *options)


def test_a_host_with_that_fingerprint_becomes_a_node_that_is_ready(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    said = add(node, hosts[HOST], "--slots", "3", "--label", "xname=x3000c0s19b4n0")
    assert said.status == 0, said.stderr
    (record,) = json.loads(node("list", "--json").stdout)
    assert (record["arch"], record["slots"]) == ("x86_64", 3)
    status = node("status", "--json")
    (found,) = json.loads(status.stdout)
    assert (status.status, found["usable"], found["reason"]) == (0, True, "")
    assert {"podman", "python3", "apt-get"} <= set(found["facts"]["tools"])
    assert json.loads(node("status", "--json", "--ims").stdout) == [
        {
            "ableToRunJobs": True,
            "nodeArch": "x86_64",
            "numCurrentJobs": 0,
            "podmanStatus": "Podman present at /usr/bin/podman",
            "sshStatus": "SSH connection established.",
            "xname": "x3000c0s19b4n0",
        }
    ]


def test_another_fingerprint_is_refused_before_anybody_logs_in(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    log = hosts[HOST].folder / "sshd.log"
    before = log.read_text()
    said = node("add", hosts[HOST].address, "--fingerprint", fingerprint(hosts[OTHER]))
    assert said.status == 4
    assert fingerprint(hosts[HOST]) in said.stderr
    assert json.loads(node("list", "--json").stdout) == []
    assert "Accepted" not in log.read_text().removeprefix(before)


def test_a_host_of_another_architecture_is_refused(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    said = add(node, hosts[HOST], "--arch", "aarch64")
    assert (said.status, "is x86_64, not aarch64" in said.stderr) == (4, True), said.stderr
    assert json.loads(node("list", "--json").stdout) == []


def test_nobody_is_asked_where_nobody_listens(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    said = node("add", hosts[HOST].address)
    assert (said.status, fingerprint(hosts[HOST]) in said.stderr) == (2, True), said.stderr


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 4), ("\n", 4), ("\4", 130)])
def test_a_person_is_asked_about_the_fingerprint(
    config: Path, store: NodeStore, hosts: Sequence[Host], answer: str, status: int
) -> None:
    host = hosts[HOST]
    argv = CommandLine(config).argv("node", "add", host.address, "--folder", str(host.space))
    terminal, side = pty.openpty()
    with subprocess.Popen(argv, stdin=side, stdout=side, stderr=subprocess.PIPE, text=True) as process:
        os.close(side)
        assert process.stderr
        said = ""
        while "[y/N]: " not in said:
            character = process.stderr.read(1)
            assert character, said
            said += character
        os.write(terminal, answer.encode())
        process.stderr.read()
        assert process.wait() == status
    os.close(terminal)
    assert fingerprint(host) in said
    assert [node.name for node in store.all()] == [host.address] * (status == 0)


def test_a_node_with_another_host_key_is_not_spoken_to(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    assert add(node, hosts[OTHER]).status == 0
    hosts[OTHER].change_host_key()
    said = node("status")
    assert said.status == 1
    assert "has another host key than when it was added" in said.stderr
    assert fingerprint(hosts[OTHER]) in said.stderr


def test_a_key_that_nobody_accepted_is_refused(store: NodeStore, hosts: Sequence[Host]) -> None:
    stranger = replace(hosts[OTHER].node(), host_keys=hosts[HOST].node().host_keys)
    store.add(stranger)
    with pytest.raises(HostKeyError, match="no host key that is trusted"):
        connect(store, stranger).run(["true"])


def test_a_drained_node_says_why_it_gets_nothing(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    add(node, hosts[HOST])
    node("drain", hosts[HOST].name, "--reason", "new disk")
    assert "drained: new disk" in node("status").stderr
    node("resume", hosts[HOST].name)
    assert node("status").status == 0
    assert node("remove", hosts[HOST].name).status == 0
    assert node("status", hosts[HOST].name).status == 2


def test_a_host_without_any_tool_is_not_ready(tmp_path: Path, store: NodeStore) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for program in (
        "sh",
        "uname",
        "id",
        "date",
        "getconf",
        "cut",
        "awk",
        "dirname",
        "basename",
        "df",
        "grep",
    ):
        (bare / program).symlink_to(f"/usr/bin/{program}")
    with running_hosts(1) as (host,):
        store.add(host.node())
        host.stop()
        host.path = str(bare)
        host.start()
        said = in_process("--config", str(config_of(tmp_path)), "node", "status")
    assert (said.status, "it lacks Python 3.11" in said.stderr) == (1, True), said.stderr


def config_of(folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(f"state: {folder}/state\nprefix: {folder}/prefix\n")
    return path


def test_silent_hosts_cost_seconds_and_the_others_nothing(
    node: Callable[..., CommandResult], hosts: Sequence[Host], store: NodeStore
) -> None:
    """One drops packets, one takes connections and never says a word, one has nobody listening."""
    add(node, hosts[HOST])
    record = hosts[HOST].node()
    with socket.create_server(("127.0.0.1", 0)) as mute, socket.create_server(("127.0.0.1", 0)) as closed:
        store.add(replace(record, name="mute", address=f"127.0.0.1:{mute.getsockname()[1]}"))
        store.add(replace(record, name="closed", address=f"127.0.0.1:{closed.getsockname()[1]}"))
        closed.close()
        store.add(replace(hosts[OTHER].node(), name="hole"))
        hosts[OTHER].cut()
        try:
            said = node("status", "--json")
        finally:
            hosts[OTHER].mend()
    found = {one["name"]: one["reason"] for one in json.loads(said.stdout)}
    assert found.pop(hosts[HOST].name) == ""
    assert set(found) == {"mute", "closed", "hole"}
    assert all("it cannot be reached" in reason for reason in found.values()), found
    assert "refused" in found["closed"]


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
    assert connection.fetch(there, tmp_path / "got", on_bytes=told.append) == len(content)
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
    timer = threading.Timer(1, hosts[HOST].stop)
    timer.start()
    try:
        with pytest.raises(NodeUnreachableError) as caught:
            connection.send(tmp_path / "large", PurePosixPath(there))
        assert caught.value.details == "The connection was lost."
    finally:
        timer.join()
        hosts[HOST].slow("1gbit")
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


def test_a_file_that_grows_while_it_is_copied_is_noticed(
    connection: Connection, hosts: Sequence[Host], tmp_path: Path
) -> None:
    there = hosts[HOST].space / "log"
    with there.open("wb") as file:
        # More than connections hold on the way: when the first bytes arrive, the end has not been read.
        file.truncate(32_000_000)

    def grow(_: int) -> None:
        with there.open("ab") as file:
            file.write(b"more")

    with pytest.raises(ArtifactError, match="changed while it was copied"):
        connection.fetch(PurePosixPath(there), tmp_path / "log", on_bytes=grow)


def test_keys_are_asked_for_through_the_name_that_ssh_uses(hosts: Sequence[Host]) -> None:
    (key,) = ask_host_keys("x", f"root@{hosts[HOST].address}:22")
    assert key.fingerprint == fingerprint(hosts[HOST])


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
    given = ("--fingerprint", fingerprint(hosts[HOST]), "--folder", str(hosts[HOST].space))
    capture([*argv, "add", "arm1", *given])
    assert (tmp_path / "known_hosts").stat().st_size, "the way was another one"
    (found,) = json.loads(capture([*argv, "status", "--json"]).stdout)
    assert (found["address"], found["usable"]) == ("arm1", True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    """A disk with nothing on it."""
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(64_000_000)
    device = capture(["losetup", "--find", "--show", str(image)]).stdout.strip()
    yield device
    capture(["losetup", "--detach", device])


@pytest.fixture
def prepared(node: Callable[..., CommandResult]) -> Iterator[Callable[..., CommandResult]]:
    """Runs `crossbuild node prepare` on a host that has no folder yet."""
    with running_hosts(1) as (host,):
        host.space.rmdir()
        add(node, host)
        yield lambda *options: node("prepare", host.name, *options)
        assert "crossbuild" not in Path("/etc/fstab").read_text()


def test_what_a_node_lacks_is_told_and_then_done(prepared: Callable[..., CommandResult]) -> None:
    said = prepared()
    assert (said.status, "On the node: mkdir -p -m 0755" in said.stderr) == (1, True), said.stderr
    assert prepared("--apply").status == 0
    assert prepared().status == 0


def test_an_empty_disk_becomes_the_build_folder_and_a_used_one_stays_as_it_is(
    prepared: Callable[..., CommandResult], disk: str
) -> None:
    assert "is mounted at" not in prepared("--device", disk).stderr
    assert Path(disk).read_bytes()[:4096] == bytes(4096)
    for _ in range(2):
        assert f"{disk} is mounted at" in prepared("--device", disk, "--apply").stderr
    kind = ["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", disk]
    assert capture(kind).stdout == "ext4\n"


def _partition(disk: str) -> None:
    """Write a table of one partition of Linux, from sector 2048 on (the DOS format)."""
    entry = struct.pack("<8B2L", 0, 0, 0, 0, 0x83, 0, 0, 0, 2048, 1000)
    with Path(disk).open("r+b") as file:
        file.write(bytes(446) + entry + bytes(48) + b"\x55\xaa")


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda disk: capture(["mkfs.ext2", "-q", disk]), id="another file system"),
        pytest.param(lambda disk: capture(["mkswap", disk]), id="swap"),
        pytest.param(_partition, id="partitions"),
    ],
)
def test_a_disk_that_holds_something_else_is_refused(
    prepared: Callable[..., CommandResult], disk: str, make: Callable[[str], object]
) -> None:
    make(disk)
    before = Path(disk).read_bytes()
    said = prepared("--device", disk, "--apply")
    assert (said.status, "left as it is" in said.stderr) == (4, True), said.stderr
    assert Path(disk).read_bytes() == before


@pytest.mark.parametrize("device", ["/dev/null", "/dev/nothing", "sda", "/dev/../etc/passwd", "/dev/a b"])
def test_what_is_no_disk_is_refused(prepared: Callable[..., CommandResult], device: str) -> None:
    said = prepared("--device", device, "--apply")
    assert said.status in {2, 4}
    assert "Traceback" not in said.stderr
