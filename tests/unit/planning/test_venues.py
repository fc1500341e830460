from __future__ import annotations

import pytest

from crossbuild.errors import UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node
from crossbuild.model.plan import VenueKind
from crossbuild.planning.venues import choose_venue
from tests.unit.planning.test_planner import HOST

ARM, X86 = Architecture.AARCH64, Architecture.X86_64


def node(name: str, arch: Architecture = ARM) -> Node:
    return Node(name=name, address=name, arch=arch, slots=1, host_keys=(), added="")


@pytest.mark.parametrize(
    ("on", "arch", "nodes", "expected"),
    [
        pytest.param("auto", ARM, ("arm1",), (VenueKind.NODE, ""), id="a node runs it natively"),
        pytest.param("auto", ARM, (), (VenueKind.LOCAL, ""), id="no node is known"),
        pytest.param("auto", X86, ("arm1",), (VenueKind.LOCAL, ""), id="this host runs it natively"),
        pytest.param("nodes", X86, (), (VenueKind.NODE, ""), id="any node, also where this host could"),
        pytest.param("local", ARM, ("arm1",), (VenueKind.LOCAL, ""), id="local"),
        pytest.param("slurm", ARM, (), (VenueKind.SLURM, ""), id="slurm"),
        pytest.param("arm1", ARM, ("arm0", "arm1"), (VenueKind.NODE, "arm1"), id="by name"),
    ],
)
def test_the_venue_follows_what_is_asked_and_known(
    on: str, arch: Architecture, nodes: tuple[str, ...], expected: tuple[VenueKind, str]
) -> None:
    venue = choose_venue(on, arch, HOST, [node(name) for name in nodes])
    assert (venue.kind, venue.node) == expected
    assert venue.reason


def test_nodes_of_the_other_architecture_do_not_count() -> None:
    assert choose_venue("auto", ARM, HOST, [node("x1", X86)]).kind is VenueKind.LOCAL


@pytest.mark.parametrize(("on", "brief"), [("arm9", "There is no node"), ("x1", "is x86_64, and the image")])
def test_a_node_that_cannot_do_it_is_refused(on: str, brief: str) -> None:
    with pytest.raises(UsageError, match=brief):
        choose_venue(on, ARM, HOST, [node("x1", X86)])
