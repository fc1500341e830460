"""Looks at nodes, many at a time, and says of each whether it can run builds and why not."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from crossbuild import resources
from crossbuild.errors import CrossbuildError, NodeUnreachableError, ProvisionerError
from crossbuild.model.node import JOBS, Node, NodeFacts, NodeStatus, Tool
from crossbuild.nodes.ssh import Connection, connect
from crossbuild.nodes.store import NodeStore

CONNECT_TIMEOUT, TIMEOUT = 3, 5
"""Seconds until a node counts as silent: one that takes no connection, and one that does and says nothing."""
PATIENCE = 60
"""Seconds that a node may take to look at itself once it has answered: it may be slow, or busy."""
AT_ONCE = 64
"""More would be more processes than a small server likes."""
OLDEST_PYTHON = (3, 11)
"""That of crossbuild itself, whose modules run on nodes."""
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "apt": ("apt-get", "mmdebstrap"),
    "dnf": ("dnf",),
    "zypper": ("zypper",),
}
"""What a node needs, besides Python, to install packages of a family."""
TOOLS, PODMAN = "tools", "podman"
"""How a node makes roots: with programs of its own, or in containers."""
LEAST_DISK = 2_000_000_000
"""Bytes: a small root, its archive, and the packages that it was made of."""
MOST_SKEW = 60.0
"""Seconds from which signatures and files come to be from the future."""
WORKER_LOCK = ".worker.lock"
"""In the folder of a job: its worker holds it for as long as it lives."""
_WORD = "crossbuild-probe "


def look_at(
    store: NodeStore, nodes: Sequence[Node], leases: Mapping[str, int] | None = None
) -> tuple[NodeStatus, ...]:
    """Return the state of each of *nodes*, asked all at once; silent ones cost seconds.

    *leases* says how many slots of each are taken.
    """
    taken = Counter(leases or {})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(pool.map(lambda node: _status(store, node, taken[node.name]), nodes))


def ask(connection: Connection, *, timeout: float = PATIENCE) -> NodeFacts:
    """Return what the node of *connection* says of itself; raise as `Connection.run` does."""
    before = time.time()
    answer = connection.run(["sh", "-s", str(connection.node.folder)], stdin=script(), timeout=timeout)
    return parse(answer.stdout, between=(before, time.time()))


def script() -> str:
    """Return what a node's shell is told; its argument is the build folder."""
    return resources.render("nodes/probe.sh.j2", jobs=JOBS, lock=WORKER_LOCK, python=OLDEST_PYTHON)


def parse(text: str, *, between: tuple[float, float]) -> NodeFacts:
    """Return the facts in what the script printed; raise ProvisionerError if it was cut short.

    *between* has this host's time before the node was asked and after it answered.
    """
    lines = [line.removeprefix(_WORD) for line in text.splitlines() if line.startswith(_WORD)]
    said = {key: value for key, _, value in (line.partition(" ") for line in lines)}
    try:
        uid, user = said["user"].split(" ", 1)
        total, available = said["memory"].split()
        _ = said["end"]  # without it, something was cut off
        return NodeFacts(
            arch=said["arch"],
            user=user,
            root=uid == "0",
            cpus=int(said["cpus"]),
            load=float(said["load"]),
            memory_total=int(total) * 1024,
            memory_available=int(available) * 1024,
            disk_free=int(said["disk"]) * 1024,
            folder_writable="writable" in said,
            tools=tuple(_tool(line) for line in sorted(lines) if line.startswith("tool ")),
            subordinate_ids="subordinate" in said,
            jobs=tuple(line.removeprefix("job ") for line in lines if line.startswith("job ")),
            clock_skew=_skew(float(said["clock"]), *between),
        )
    except (KeyError, ValueError) as error:
        raise ProvisionerError(
            "The node did not answer as a Linux host does.",
            details=f"Missing: {error}. It said: {text[-300:]!r}",
            resolution="Its login must run commands of sh, and say nothing but what they say.",
        ) from error


def judge(node: Node, facts: NodeFacts) -> str:
    """Return why *node* can run no builds; empty where it can."""
    oldest = ".".join(map(str, OLDEST_PYTHON))
    complaints = (
        (facts.arch != node.arch, f"it is {facts.arch}, and was added as {node.arch}"),
        (
            not ways(facts),
            f"it lacks Podman for root, and Python {oldest} with apt-get and mmdebstrap, dnf, or zypper",
        ),
        (
            not (facts.root or facts.subordinate_ids),
            f"{facts.user} is not root there and has no ids in /etc/subuid and /etc/subgid",
        ),
        (not facts.folder_writable, f"{node.folder} is not a folder that {facts.user} can write to"),
        (facts.disk_free < LEAST_DISK, f"{node.folder} has {facts.disk_free // 1_000_000} MB left"),
        (node.drained is not None, f"drained: {node.drained or 'no reason given'}"),
    )
    return next((text for wrong, text in complaints if wrong), "")


def ways(facts: NodeFacts) -> dict[str, str]:
    """Return how the node makes roots of each family: with TOOLS or PODMAN; empty where it makes none."""
    contained = tuple(FAMILIES) if facts.root and facts.tool("podman") else ()
    return {**dict.fromkeys(contained, PODMAN), **dict.fromkeys(families(facts), TOOLS)}


def builds_with(facts: NodeFacts) -> tuple[str, ...]:
    """Return what makes roots there, for people: package managers, and Podman if it stands in for others."""
    found = ways(facts)
    own = tuple(family for family, way in found.items() if way == TOOLS)
    return (*own, "Podman") if PODMAN in found.values() else own


def families(facts: NodeFacts) -> tuple[str, ...]:
    """Return the package managers of its own with which the node makes roots."""
    python = facts.tool("python3")
    if not python or python_version(python.version) < OLDEST_PYTHON:
        return ()
    return tuple(name for name, tools in FAMILIES.items() if all(map(facts.tool, tools)))


def python_version(text: str) -> tuple[int, int]:
    """Return major and minor number in what `python3 --version` printed; (0, 0) where there are none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _status(store: NodeStore, node: Node, leases: int) -> NodeStatus:
    try:
        connection = connect(store, node, connect_timeout=CONNECT_TIMEOUT)
        connection.run(["true"], timeout=TIMEOUT)
        facts = ask(connection)
    except CrossbuildError as error:
        said = error.details.splitlines()[-1] if error.details else error.brief
        why = "it cannot be reached" if isinstance(error, NodeUnreachableError) else error.brief
        return NodeStatus(node=node, facts=None, reason=f"{why}: {said}", leases=leases, unreachable=said)
    return NodeStatus(
        node=node, facts=facts, reason=judge(node, facts), warnings=_warnings(facts), leases=leases
    )


def _warnings(facts: NodeFacts) -> tuple[str, ...]:
    if abs(facts.clock_skew) <= MOST_SKEW:
        return ()
    side = "ahead of" if facts.clock_skew > 0 else "behind"
    return (f"its clock is {abs(facts.clock_skew):.0f} s {side} this host's",)


def _skew(theirs: float, before: float, after: float) -> float:
    """Return how far a clock is ahead that was read at an unknown moment between two of ours."""
    return round(min(0.0, theirs - before) + max(0.0, theirs - after), 3)


def _tool(line: str) -> Tool:
    _, name, path, version = [*line.split(" ", 3), ""][:4]
    return Tool(name=name, path=path, version=version)
