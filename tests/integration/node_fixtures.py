"""What the tests of nodes share: hosts, a management server that knows none yet, and its command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult
from crossbuild.nodes.ssh import Connection, connect
from crossbuild.nodes.store import NodeStore
from tests.integration.ims_rig import in_process
from tests.integration.node_rig import Host, running_hosts

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


def add(node: Callable[..., CommandResult], host: Host, *options: str) -> CommandResult:
    where = ("--folder", str(host.space), "--name", host.name)
    return node("add", host.address, "--fingerprint", host.fingerprint(), *where, *options)
