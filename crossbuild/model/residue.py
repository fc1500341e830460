"""What a build leaves in a root and an image must not carry: one table for cleaning and for checking."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class ResidueAction(enum.StrEnum):
    """What makes an entry harmless."""

    REMOVE = "remove"
    TRUNCATE = "truncate"
    """Keep it, empty: programs expect the file, or its owner and mode matter."""


@dataclass(frozen=True, kw_only=True)
class Residue:
    """Regular files, and only those, that must not reach a node as the build left them."""

    pattern: str
    """Absolute inside the root; `*` stands for anything within one name, `**` for anything at any depth."""
    action: ResidueAction
    reason: str
    mode: int | None = None
    """What a file gets that is a copy of the build host's, with that one's mode; None: it keeps its own."""


def _residues(
    action: ResidueAction, reason: str, *patterns: str, mode: int | None = None
) -> tuple[Residue, ...]:
    return tuple(Residue(pattern=pattern, action=action, reason=reason, mode=mode) for pattern in patterns)


_REMOVE, _TRUNCATE = ResidueAction.REMOVE, ResidueAction.TRUNCATE

RESIDUE: tuple[Residue, ...] = (
    *_residues(
        _TRUNCATE,
        "every node has its own machine id; an empty file lets the first boot make one (machine-id(5))",
        "/etc/machine-id",
    ),
    *_residues(
        _TRUNCATE,
        "it describes the network of the build host",
        "/etc/hostname",
        "/etc/resolv.conf",
        mode=0o644,
    ),
    *_residues(
        _REMOVE,
        "nodes that share a key or an identity can pose as each other",
        "/etc/ssh/ssh_host_*_key",
        "/etc/ssh/ssh_host_*_key.pub",
        "/etc/munge/munge.key",
        "/etc/iscsi/initiatorname.iscsi",
        "/etc/nvme/hostid",
        "/etc/nvme/hostnqn",
        "/var/lib/dbus/machine-id",
        "/var/lib/NetworkManager/secret_key",
        "/var/lib/systemd/credential.secret",
        "/var/lib/wicked/duid.xml",
        "/var/lib/zypp/AnonymousUniqueId",
    ),
    *_residues(
        _REMOVE,
        "nodes that share a random seed draw the same numbers",
        "/boot/efi/loader/random-seed",
        "/boot/loader/random-seed",
        "/efi/loader/random-seed",
        "/var/lib/misc/random-seed",
        "/var/lib/random-seed",
        "/var/lib/systemd/random-seed",
        "/var/lib/urandom/random-seed",
    ),
    *_residues(
        _REMOVE,
        "it fits the hardware or the network of the build host only",
        "/etc/udev/rules.d/70-persistent-net.rules",
        "/var/lib/NetworkManager/*.lease",
        "/var/lib/NetworkManager/timestamps",
        "/var/lib/dhclient/*.leases",
        "/var/lib/dhcp/*.leases",
    ),
    *_residues(
        _REMOVE,
        "it is a cache or an index of the package manager, stale on a node",
        "/var/cache/PackageKit/**",
        "/var/cache/apt/**",
        "/var/cache/debconf/*-old",
        "/var/cache/dnf/**",
        "/var/cache/ldconfig/**",
        "/var/cache/libdnf5/**",
        "/var/cache/yum/**",
        "/var/cache/zypp/**",
        "/var/lib/apt/lists/**",
        "/var/lib/dpkg/*-old",
        "/usr/lib/sysimage/rpm/.rpm.lock",
        "/usr/lib/sysimage/rpm/__db.*",
        # Of a database that is closed, these hold nothing.
        "/usr/lib/sysimage/rpm/rpmdb.sqlite-shm",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
        "/var/lib/dnf/**",
        "/var/lib/rpm/.rpm.lock",
        "/var/lib/rpm/__db.*",
        "/var/lib/rpm/rpmdb.sqlite-shm",
        "/var/lib/rpm/rpmdb.sqlite-wal",
        "/var/lib/zypp/AutoInstalled",
    ),
    *_residues(
        _REMOVE,
        "it served the build only",
        "/.dockerenv",
        "/run/**",
        "/tmp/**",
        "/usr/bin/qemu-*-static",
        "/usr/sbin/policy-rc.d",
        "/var/tmp/**",
    ),
    *_residues(
        _REMOVE,
        "it tells what somebody typed while the image was made",
        "/home/*/.*_history",
        "/home/*/.lesshst",
        "/home/*/.viminfo",
        "/home/*/.wget-hsts",
        "/root/.*_history",
        "/root/.lesshst",
        "/root/.viminfo",
        "/root/.wget-hsts",
    ),
    *_residues(
        _REMOVE,
        "it is the log of the build",
        "/var/log/YaST2/**",
        "/var/log/alternatives.log",
        "/var/log/anaconda/**",
        "/var/log/apt/**",
        "/var/log/bootstrap.log",
        "/var/log/dnf*.log",
        "/var/log/dpkg.log",
        "/var/log/hawkey.log",
        "/var/log/journal/**",
        "/var/log/yum.log",
        "/var/log/zypp/**",
        "/var/log/zypper.log",
    ),
    *_residues(
        _TRUNCATE,
        "it records log-ins and processes of the build host",
        "/var/log/btmp",
        "/var/log/faillog",
        "/var/log/lastlog",
        "/var/log/tallylog",
        "/var/log/wtmp",
    ),
)


def residue_at(path: str) -> Residue | None:
    """Return the first entry of the table whose pattern *path* matches; links are the caller's to skip."""
    match = _PATTERNS.fullmatch(path)
    if match is None or match.lastindex is None:
        return None
    return RESIDUE[match.lastindex - 1]


def _as_regex(pattern: str) -> str:
    wildcards = {"**": ".+", "*": "[^/]*"}
    return "".join(wildcards.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", pattern))


_PATTERNS = re.compile("|".join(f"({_as_regex(entry.pattern)})" for entry in RESIDUE), re.DOTALL)
"""One group per entry of the table."""
