"""Which node takes a build: a pure function of what is free, who waits, and what the build wants."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Node


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a build wants of a node."""

    job: str
    """Its id."""
    arch: Architecture
    node: str = ""
    """The only one that may take it; empty: any that fits."""


class Load(NamedTuple):
    """A node, and what keeps it from taking a build; made a thousand times for one decision."""

    node: Node
    taken: int = 0
    """Slots in use."""
    claimed: int = 0
    """Builds that want this very node and wait for longer."""
    failing: str = ""
    """Why it gets nothing for a while; empty while it is well."""

    @property
    def free(self) -> int:
        """Slots that nobody uses and nobody who waits for longer has a claim on."""
        return max(0, self.node.slots - self.taken - self.claimed)


class Verdict(enum.StrEnum):
    """How a choice ended."""

    CHOSEN = "chosen"
    BUSY = "busy"
    """Waiting helps: nodes that fit are there, and their slots are in use."""
    NONE = "none"
    """Waiting does not help before somebody adds, resumes or mends a node."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The decision, with its reason in words."""

    verdict: Verdict
    reason: str
    node: Node | None = None
    """Set where the verdict is CHOSEN."""


def choose(demand: Demand, loads: Sequence[Load], *, waiting: int = 0) -> Choice:
    """Return the node that is the least loaded in proportion to its slots.

    *waiting* says how many builds of the same architecture wait for longer and take any node: none of them is
    overtaken. Of nodes that are equally loaded, the one with more slots is taken, then the first by name.
    """
    fitting = [load for load in loads if _fits(demand, load.node)]
    usable = [load for load in fitting if load.node.drained is None and not load.failing]
    if not usable:
        return Choice(verdict=Verdict.NONE, reason=_why_none(demand, fitting))
    free = [load for load in usable if load.free]
    of_all = [load for load in loads if load.node.arch is demand.arch and _is_open(load)]
    if not free or sum(load.free for load in of_all) <= waiting:
        return Choice(verdict=Verdict.BUSY, reason=_why_busy(usable, waiting))
    best = min(free, key=lambda load: (load.taken / load.node.slots, -load.node.slots, load.node.name))
    return Choice(verdict=Verdict.CHOSEN, node=best.node, reason=_why(demand, best, len(usable)))


def _fits(demand: Demand, node: Node) -> bool:
    return node.arch is demand.arch and demand.node in {"", node.name}


def _is_open(load: Load) -> bool:
    return load.node.drained is None and not load.failing


def _why(demand: Demand, best: Load, usable: int) -> str:
    slots = f"{best.taken} of its {best.node.slots} slots in use"
    if demand.node:
        return f"{best.node.name} was asked for, with {slots}"
    if usable == 1:
        return f"{best.node.name} is the only {demand.arch} node that can take it, with {slots}"
    return f"{best.node.name} is the least loaded of {usable} {demand.arch} nodes, with {slots}"


def _why_busy(usable: Sequence[Load], waiting: int) -> str:
    slots, taken = sum(load.node.slots for load in usable), sum(load.taken for load in usable)
    where = usable[0].node.name if len(usable) == 1 else f"{len(usable)} nodes"
    ahead = waiting + sum(load.claimed for load in usable)
    queue = f", and {ahead} ahead in line" if ahead else ""
    return f"{taken} of {slots} slots of {where} are in use{queue}"


def _why_none(demand: Demand, fitting: Sequence[Load]) -> str:
    if not fitting:
        return f"no node {demand.node}".rstrip() + f" of architecture {demand.arch} is known"
    return "; ".join(_what_is_wrong(load) for load in fitting)


def _what_is_wrong(load: Load) -> str:
    if load.node.drained is not None:
        return f"{load.node.name} is drained ({load.node.drained or 'no reason given'})"
    return f"{load.node.name} fails: {load.failing}"
