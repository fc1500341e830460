"""Makes a node known: its keys are confirmed, then it is asked what it is, then it is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from crossbuild.errors import HostKeyError, ProvisionerError, UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node, NodeFacts
from crossbuild.model.spec import is_name
from crossbuild.nodes.addresses import parse_ssh_address
from crossbuild.nodes.host_keys import HostKey, ask_host_keys, confirmed
from crossbuild.nodes.probe import ask
from crossbuild.nodes.ssh import Connection
from crossbuild.nodes.store import NodeStore, refuse_name

Confirmation = Callable[[Sequence[HostKey]], bool]

MEMORY_EACH = 4_000_000_000
"""Bytes that a build may take without disturbing the next one: dracut and xz of a large image."""
PROCESSORS_EACH = 4
"""Beyond these a build gets little faster: most of its steps come one after the other."""


def introduce(
    store: NodeStore,
    wanted: Node,
    *,
    arch: Architecture | None,
    fingerprint: str = "",
    confirm: Confirmation = lambda _: False,
) -> tuple[Node, NodeFacts]:
    """Add *wanted* to *store* with its host keys and its architecture, and return both as they were found.

    0 slots stand for as many as the node has room for. A host key must have *fingerprint*, or *confirm* must
    accept the keys that the host shows. Nothing is kept if the node cannot be reached, or is not of *arch*.
    Raises UsageError, HostKeyError, ProvisionerError.
    """
    refuse_name(wanted.name)
    if any(node.name == wanted.name for node in store.all()):
        raise UsageError(
            f"There is a node `{wanted.name}` already.",
            resolution=f"Take another --name, or `crossbuild node remove {wanted.name}` first.",
        )
    keys = ask_host_keys(wanted.name, wanted.address)
    if fingerprint:
        keys = confirmed(keys, fingerprint, wanted.address)
    elif not confirm(keys):
        raise HostKeyError("The host keys were not accepted.", details="Nothing was sent, and nothing kept.")
    node = replace(wanted, host_keys=tuple(key.line for key in keys))
    facts = _facts(node)
    node = replace(node, arch=_arch(node, facts, arch), slots=node.slots or _slots(facts))
    store.add(node)
    return node, facts


def name_of(address: str) -> str:
    """Return what a node is called that was given no name: its host. Raises UsageError where it is none."""
    host = parse_ssh_address(address).host
    if not is_name(host):
        raise UsageError(f"{host} is an address, and no name.", resolution="Give the node one with --name.")
    return host


def now() -> str:
    """Return the time as records have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(node: Node) -> NodeFacts:
    with tempfile.TemporaryDirectory() as folder:
        known_hosts = Path(folder) / "known_hosts"
        known_hosts.write_text("".join(f"{line}\n" for line in node.host_keys), encoding="utf-8")
        connection = Connection(node, known_hosts)
        try:
            return ask(connection)
        finally:
            connection.close()


def _arch(node: Node, facts: NodeFacts, wanted: Architecture | None) -> Architecture:
    try:
        found = Architecture(facts.arch)
    except ValueError:
        found = None
    if found is None or (wanted and found is not wanted):
        raise ProvisionerError(
            f"{node.address} is {facts.arch}, not {wanted or ' or '.join(Architecture)}.",
            details="`uname -m` says so there. It was not added.",
            resolution=f"Add it without `--arch {wanted}` for {found} builds." if found else "",
        )
    return found


def _slots(facts: NodeFacts) -> int:
    room = min(facts.cpus // PROCESSORS_EACH, facts.memory_total // MEMORY_EACH)
    return max(1, room)
