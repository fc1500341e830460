"""Hosts that run builds natively, what they are found to be, and the slots that are taken on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from crossbuild.model.architecture import Architecture

BUILD_FOLDER = PurePosixPath("/var/tmp/crossbuild")  # noqa: S108 - of a node, which looks at its owner
"""Where a node builds unless it is told otherwise: on disk on most systems, and not cleared by a reboot."""
JOBS = "crossbuild-jobs"
"""Below the build folder: one folder for each job, named by the job's id."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A host that was added with `crossbuild node add`; docs/reference/nodes.md describes its file."""

    name: str
    address: str
    """Where ssh finds it: `[USER@]HOST[:PORT]`, HOST also as ssh_config(5) names it."""
    arch: Architecture
    slots: int
    """How many builds it runs at a time."""
    host_keys: tuple[str, ...]
    """Lines of a known_hosts file (sshd(8)): the keys that were accepted when it was added."""
    added: str
    """When, in UTC, as RFC 3339 writes it."""
    folder: PurePosixPath = BUILD_FOLDER
    """Where builds have their space; jobs lie below its `crossbuild-jobs`."""
    labels: tuple[tuple[str, str], ...] = ()
    """What the site calls it, such as `xname`; sorted by key."""
    drained: str | None = None
    """Why it gets no new builds; None while it gets some."""

    @property
    def jobs(self) -> PurePosixPath:
        """Where its jobs lie."""
        return self.folder / JOBS

    @property
    def xname(self) -> str:
        """What HPE's services call it: the label `xname`, else its name."""
        return dict(self.labels).get("xname", self.name)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program of a node."""

    name: str
    path: str
    version: str
    """As the program says it; empty where it says nothing."""


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What a node said of itself."""

    arch: str
    """As `uname -m` prints it there; `uname -i` is `unknown` on some distributions."""
    user: str
    root: bool
    cpus: int
    load: float
    """Of the last minute (proc(5), loadavg)."""
    memory_total: int
    """Bytes, as all that follow."""
    memory_available: int
    disk_free: int
    """On the file system of the build folder."""
    folder_writable: bool
    """Whether the build folder is there and may be written; jobs make no folder above it."""
    tools: tuple[Tool, ...]
    """Those of Podman, Python and the package managers that it has."""
    subordinate_ids: bool
    """Whether its user has ids in subuid(5) and subgid(5); root needs none."""
    jobs: tuple[str, ...]
    """Ids of crossbuild's jobs that run there, also of other hosts' crossbuild."""
    clock_skew: float
    """Seconds by which its clock is ahead of this host's, as far as the way there lets one tell."""

    def tool(self, name: str) -> Tool | None:
        """Return the program *name*, None where the node has none."""
        return next((tool for tool in self.tools if tool.name == name), None)


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """What a look at a node found."""

    node: Node
    facts: NodeFacts | None
    """None where it could not be asked."""
    reason: str
    """Why it can run no builds; empty where it can."""
    warnings: tuple[str, ...] = ()
    leases: int = 0
    """Slots that this host's crossbuild has taken."""
    unreachable: str = ""
    """What ssh said where the node could not be asked."""

    @property
    def usable(self) -> bool:
        """Whether it can run builds and is not drained."""
        return not self.reason


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One slot of one node, taken until it is given back, its holder dies, or it is not renewed in time."""

    id: int
    node: str
    job: str
    """The id of the job that it is for."""
    reason: str
    """Why this node was chosen."""
