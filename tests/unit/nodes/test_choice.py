"""Whom a build goes to is decided by what is free, fairly, and with a reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crossbuild.model.architecture import Architecture
from crossbuild.nodes.choice import Demand, Load, Verdict, choose
from tests.unit.nodes.values import make_node

ANY = Demand(job="j", arch=Architecture.AARCH64)
PINNED = Demand(job="j", arch=Architecture.AARCH64, node="b")


def load(name: str, taken: int = 0, slots: int = 4, **changes: object) -> Load:
    own = {key: changes.pop(key) for key in ("claimed", "failing") if key in changes}
    return Load(node=make_node(name=name, slots=slots, **changes), taken=taken, **own)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("demand", "loads", "chosen"),
    [
        pytest.param(ANY, [load("a", 1), load("b", 0)], "b", id="the emptiest"),
        pytest.param(ANY, [load("a", 2, 8), load("b", 1, 2)], "a", id="in proportion to slots"),
        pytest.param(ANY, [load("a", 0, 2), load("b", 0, 8)], "b", id="of equals the largest"),
        pytest.param(ANY, [load("b"), load("a")], "a", id="of equals the first by name"),
        pytest.param(ANY, [load("a", drained=""), load("b", 3)], "b", id="not a drained one"),
        pytest.param(ANY, [load("a", failing="x"), load("b", 3)], "b", id="not a failing one"),
        pytest.param(ANY, [load("a", arch=Architecture.X86_64), load("b", 3)], "b", id="of its architecture"),
        pytest.param(PINNED, [load("a"), load("b", 3)], "b", id="the one that is wanted"),
        pytest.param(ANY, [load("a", 0, 1, claimed=1), load("b", 3)], "b", id="not one that others claim"),
    ],
)
def test_the_node_is_the_right_one(demand: Demand, loads: Sequence[Load], chosen: str) -> None:
    choice = choose(demand, loads)
    assert choice.node is not None
    assert (choice.verdict, choice.node.name) == (Verdict.CHOSEN, chosen)
    assert choice.reason.startswith(chosen)


@pytest.mark.parametrize(
    ("demand", "loads", "waiting", "verdict", "words"),
    [
        pytest.param(ANY, [], 0, Verdict.NONE, "no node of architecture aarch64 is known", id="none"),
        pytest.param(PINNED, [load("a")], 0, Verdict.NONE, "no node b", id="not the wanted one"),
        pytest.param(
            ANY, [load("a", drained="disk"), load("b", failing="x")], 0, Verdict.NONE,
            "a is drained (disk); b fails: x", id="none that works",
        ),
        pytest.param(ANY, [load("a", 4)], 0, Verdict.BUSY, "4 of 4 slots of a are in use", id="full"),
        pytest.param(ANY, [load("a", 3)], 1, Verdict.BUSY, "1 ahead in line", id="others came first"),
        pytest.param(PINNED, [load("b", 3)], 1, Verdict.BUSY, "ahead in line", id="the wanted one, too"),
        pytest.param(ANY, [load("a", 3, claimed=1)], 0, Verdict.BUSY, "ahead in line", id="claimed"),
    ],
)  # fmt: skip
def test_the_reason_says_whether_waiting_helps(
    demand: Demand, loads: Sequence[Load], waiting: int, verdict: Verdict, words: str
) -> None:
    choice = choose(demand, loads, waiting=waiting)
    assert (choice.verdict, choice.node) == (verdict, None)
    assert words in choice.reason


def test_there_is_room_beyond_those_who_wait_for_longer() -> None:
    assert choose(ANY, [load("a", 2)], waiting=1).verdict is Verdict.CHOSEN
