"""Hosts become nodes, prove who they are, and are found out when they are not what they should be."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.errors import HostKeyError
from crossbuild.host.command import CommandResult
from crossbuild.nodes.ssh import connect
from crossbuild.nodes.store import NodeStore
from tests.integration.conftest import CommandLine
from tests.integration.ims_rig import in_process
from tests.integration.node_fixtures import (
    HOST,
    OTHER,
    add,
    config,
    hosts,
    node,
    store,
)
from tests.integration.node_rig import Host, running_hosts

__all__ = ["config", "hosts", "node", "store"]


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
    said = node("add", hosts[HOST].address, "--fingerprint", hosts[OTHER].fingerprint())
    assert said.status == 4
    assert hosts[HOST].fingerprint() in said.stderr
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
    assert (said.status, hosts[HOST].fingerprint() in said.stderr) == (2, True), said.stderr


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
    assert host.fingerprint() in said
    assert [node.name for node in store.all()] == [host.address] * (status == 0)


def test_a_node_with_another_host_key_is_not_spoken_to(
    node: Callable[..., CommandResult], hosts: Sequence[Host]
) -> None:
    assert add(node, hosts[OTHER]).status == 0
    hosts[OTHER].stop()
    hosts[OTHER].change_host_key()
    hosts[OTHER].start()
    said = node("status")
    assert said.status == 1
    assert "has another host key than when it was added" in said.stderr
    assert hosts[OTHER].fingerprint() in said.stderr


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
    assert (said.status, "it lacks Podman for root" in said.stderr) == (1, True), said.stderr


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
