"""Where a build is to run: a pure function of what was asked for, this host, and the nodes that it knows."""

from __future__ import annotations

from collections.abc import Sequence

from crossbuild.errors import UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts
from crossbuild.model.node import Node
from crossbuild.model.offload import AUTO, LOCAL, NODES, SLURM
from crossbuild.model.plan import Venue, VenueKind

ASKED = "it was asked for"
_ASKED = {LOCAL: VenueKind.LOCAL, NODES: VenueKind.NODE, SLURM: VenueKind.SLURM}


def choose_venue(on: str, arch: Architecture, host: HostFacts, nodes: Sequence[Node]) -> Venue:
    """Return where a root of *arch* is to be made, as *on* says: one of VENUES, or the name of a node.

    For a node that is yet to be chosen, the venue names none. Raises UsageError for a node that is not known,
    or that has another architecture.
    """
    if on in _ASKED:
        return Venue(kind=_ASKED[on], reason=ASKED)
    return _best(arch, host, nodes) if on == AUTO else _named(on, arch, nodes)


def _best(arch: Architecture, host: HostFacts, nodes: Sequence[Node]) -> Venue:
    if host.native(arch):
        return Venue(kind=VenueKind.LOCAL, reason=f"this host is {arch} itself")
    fitting = [node.name for node in nodes if node.arch is arch]
    if not fitting:
        return Venue(kind=VenueKind.LOCAL, reason=f"no node of architecture {arch} is known")
    return Venue(kind=VenueKind.NODE, reason=f"nodes of architecture {arch} are known: {', '.join(fitting)}")


def _named(name: str, arch: Architecture, nodes: Sequence[Node]) -> Venue:
    found = next((node for node in nodes if node.name == name), None)
    if found is None:
        raise UsageError(
            f"There is no node `{name}`.",
            details=f"Known are: {', '.join(node.name for node in nodes) or 'none'}.",
            resolution="`crossbuild node add` adds one.",
        )
    if found.arch is not arch:
        raise UsageError(
            f"The node {name} is {found.arch}, and the image is for {arch}.",
            resolution="Name a node of that architecture, or leave the choice to `--on auto`.",
        )
    return Venue(kind=VenueKind.NODE, node=name, reason=ASKED)
