"""The tree that nodes mount: what is exported, to whom, and by which server."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class NfsServer(enum.StrEnum):
    """What serves NFS on a host: the kernel, or NFS-Ganesha from user space."""

    KERNEL = "kernel"
    GANESHA = "ganesha"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Who may mount the tree: a network or one address; nobody is root there."""

    client: Address | Network
    write: bool


@dataclass(frozen=True, kw_only=True)
class SharedTree:
    """A folder and those who may mount it, the ones that stand first before those that include them."""

    path: Path
    grants: tuple[Grant, ...]
