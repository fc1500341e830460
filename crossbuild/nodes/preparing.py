"""What a node lacks before it can run builds, and the commands that provide it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from crossbuild import resources
from crossbuild.errors import CommandFailedError, ProvisionerError, UsageError
from crossbuild.host.requirements import INSTALLERS, family_of, packages, parse_os_release
from crossbuild.model.node import Node, NodeFacts
from crossbuild.nodes.addresses import parse_ssh_address
from crossbuild.nodes.probe import LEAST_DISK, builds_with
from crossbuild.nodes.ssh import Connection

DEVICE = re.compile(r"/dev/[A-Za-z0-9][A-Za-z0-9_./+-]*")
IMAGE = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
SIZE = re.compile(r"[1-9][0-9]*[GT]")
CEPH_CLIENT = "kube"
"""Whose key HPE's guide gives to nodes; that of the administrator stays where it is."""
INSTALL_TIMEOUT = 900
_MANAGERS = {
    "debian": ("python3", "apt"),
    "el": ("python3.11", "dnf", "rpm"),
    "suse": ("python311", "zypper", "rpm"),
}
"""The package that brings a Python that is new enough, and what else to install, by its purpose."""
_WITHOUT_QUESTIONS = {"debian": "--yes", "el": "--assumeyes", "suse": "--non-interactive"}


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something that a node must have."""

    what: str
    met: bool
    found: str
    """What is there."""
    commands: tuple[str, ...] = ()
    """For a shell of the node, by its user if not *as_root*: what provides it; empty where nobody can say."""
    as_root: bool = True


@dataclass(frozen=True, kw_only=True)
class CephSpace:
    """Space in a Ceph cluster."""

    image: str
    """`POOL/NAME`."""
    size: str
    """As rbd(8) takes it, such as `1000G`; counts where the image is new."""


def needs(node: Node, facts: NodeFacts, os_release: str) -> tuple[Need, ...]:
    """Return everything that *node* must have, met or not; *os_release* is its /etc/os-release."""
    return (_architecture(node, facts), _tools(facts, os_release), _rights(facts), *_space(node, facts))


def read_os_release(connection: Connection) -> str:
    """Return the node's /etc/os-release, empty where it has none."""
    return connection.run(["cat", "/etc/os-release"], check=False).stdout


def provide(connection: Connection, facts: NodeFacts, need: Need, told: Callable[[str], None]) -> None:
    """Run the commands of *need* on the node, each after it was *told*; raise ProvisionerError."""
    if need.commands and need.as_root and not facts.root:
        raise ProvisionerError(
            f"{need.what} needs root on the node {connection.node.name}.",
            details=f"ssh logs in as {facts.user}.",
            resolution="Run there, as root:\n" + "\n".join(need.commands),
        )
    for command in need.commands:
        told(command)
        try:
            connection.run(["sh", "-c", command], timeout=INSTALL_TIMEOUT)
        except CommandFailedError as error:
            raise ProvisionerError(error.brief, details=error.details) from error


def mount_device(connection: Connection, device: str) -> None:
    """Mount the disk *device* of the node as its build folder; only a disk that holds nothing is formatted.

    Raises UsageError for what is no path of a device, ProvisionerError with the reason where it is refused.
    """
    if not DEVICE.fullmatch(device) or ".." in device:
        raise UsageError(f"{device!r} is no path of a device, such as /dev/nvme0n1.")
    node = connection.node
    try:
        connection.run(
            ["sh", "-s", device, str(node.folder)],
            stdin=resources.render("nodes/device.sh.j2"),
            timeout=INSTALL_TIMEOUT,
        )
    except CommandFailedError as error:
        raise ProvisionerError(
            f"{device} of the node {node.name} was not mounted at {node.folder}.",
            details=error.details,
            resolution="Name a disk that is empty, or that has ext4 or xfs and is free for builds.",
        ) from error


def ceph_commands(node: Node, facts: NodeFacts, space: CephSpace) -> str:
    """Return the commands that give *node* its build folder in a Ceph cluster; raise UsageError."""
    if not IMAGE.fullmatch(space.image) or not SIZE.fullmatch(space.size):
        raise UsageError(
            f"{space.image} of {space.size} is no image of Ceph.",
            resolution="Write POOL/NAME, and the size as in 1000G.",
        )
    address = parse_ssh_address(node.address)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return resources.render(
        "nodes/ceph.sh.j2",
        name=node.name,
        login=shlex.quote(f"{address.user}@{host}" if address.user else host),
        client=CEPH_CLIENT,
        image=space.image,
        size=space.size,
        folder=shlex.quote(str(node.folder)),
        podman=facts.tool("podman") is not None,
    )


def _architecture(node: Node, facts: NodeFacts) -> Need:
    return Need(what="architecture", met=facts.arch == node.arch, found=facts.arch)


def _tools(facts: NodeFacts, os_release: str) -> Need:
    found = builds_with(facts)
    family = family_of(parse_os_release(os_release))
    return Need(
        what="Podman, or Python and a package manager",
        met=bool(found),
        found=", ".join(found) or "none",
        commands=_installation(family) if family in _MANAGERS else (),
    )


def _installation(family: str) -> tuple[str]:
    program, *words = INSTALLERS[family].split()
    python, *managers = _MANAGERS[family]
    names = [python, *packages(family, tuple(managers))]
    return (shlex.join([program, _WITHOUT_QUESTIONS[family], *words, *names]),)


def _rights(facts: NodeFacts) -> Need:
    user = shlex.quote(facts.user)
    return Need(
        what="root, or subordinate ids",
        met=facts.root or facts.subordinate_ids,
        found=facts.user + (" with subordinate ids" if facts.subordinate_ids and not facts.root else ""),
        commands=(f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",),
    )


def _space(node: Node, facts: NodeFacts) -> tuple[Need, Need]:
    folder = shlex.quote(str(node.folder))
    writable = Need(
        what=f"folder {node.folder}",
        met=facts.folder_writable,
        found="writable" if facts.folder_writable else f"missing, or not writable for {facts.user}",
        commands=(f"mkdir -p -m 0755 {folder}",),
        as_root=False,
    )
    room = Need(
        what=f"{LEAST_DISK // 1_000_000_000} GB of disk",
        met=facts.disk_free >= LEAST_DISK,
        found=f"{facts.disk_free / 1_000_000_000:.1f} GB",
    )
    return writable, room
