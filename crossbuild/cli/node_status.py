"""`crossbuild node status`: what nodes are found to be at this moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.wording import size_text

if TYPE_CHECKING:
    from crossbuild.cli.console import Span
    from crossbuild.model.node import NodeStatus


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--ims", is_flag=True, help="With --json: in the names and words of HPE's IMS.")
@json_option
@click.pass_context
@pass_session
def status(
    session: Session, context: click.Context, *, names: tuple[str, ...], ims: bool, as_json: bool
) -> None:
    """Ask the nodes NAME, or all, what they are and have.

    All are asked at once, and those that stay silent are given up after seconds. Status 1 if one cannot run
    builds.
    """
    from crossbuild.config.site import load_site
    from crossbuild.nodes.holding import open_ledger
    from crossbuild.nodes.ims_status import ims_status
    from crossbuild.nodes.probe import look_at
    from crossbuild.nodes.store import NodeStore

    if ims and not as_json:
        raise click.UsageError("--ims says how --json prints it.")
    state = load_site(session.config).state
    store = NodeStore(state)
    nodes = [store.load(name) for name in names] if names else store.all()
    with open_ledger(state) as ledger:
        taken, failing = Counter(lease.node for lease in ledger.leases()), ledger.failing()
    found = look_at(store, nodes, taken)
    if ims:
        console.print_json([ims_status(one) for one in found])
    elif as_json:
        console.print_json([status_entry(one, failing) for one in found])
    else:
        _show(found, failing)
    context.exit(0 if all(one.usable for one in found) else 1)


def _show(found: Sequence[NodeStatus], failing: Mapping[str, str]) -> None:
    console.table(
        ("", "NAME", "ARCH", "SLOTS", "JOBS", "LOAD", "MEMORY FREE", "DISK FREE", "BUILDS WITH"),
        [_row(one) for one in found],
        right={3, 4, 5, 6, 7},
    )
    for one in found:
        if one.reason:
            console.note(console.bad(one.node.name), f": {one.reason}")
        for text in one.warnings:
            console.note(console.warning(one.node.name), f": {text}")
        if one.node.name in failing:
            said = f": it gets no builds for a while, since one found: {failing[one.node.name]}"
            console.note(console.warning(one.node.name), said)


def _row(one: NodeStatus) -> tuple[str | Span, ...]:
    from crossbuild.nodes.probe import builds_with

    word = console.good("ready") if one.usable else console.bad("not ready")
    slots = f"{one.leases}/{one.node.slots}"
    if (facts := one.facts) is None:
        return (word, one.node.name, one.node.arch, slots, "-", "-", "-", "-", "-")
    return (
        word,
        one.node.name,
        facts.arch,
        slots,
        str(len(facts.jobs)),
        f"{facts.load:.1f}/{facts.cpus}",
        size_text(facts.memory_available),
        size_text(facts.disk_free),
        ", ".join(builds_with(facts)) or "nothing",
    )


def status_entry(one: NodeStatus, failing: Mapping[str, str]) -> dict[str, object]:
    """Return what docs/reference/nodes.md describes."""
    from crossbuild.nodes.probe import ways

    facts = one.facts
    known = (
        {
            "arch": facts.arch,
            "user": facts.user,
            "cpus": facts.cpus,
            "load": facts.load,
            "memory_total": facts.memory_total,
            "memory_available": facts.memory_available,
            "disk_free": facts.disk_free,
            "tools": {tool.name: tool.version for tool in facts.tools},
            "ways": ways(facts),
            "jobs": facts.jobs,
            "clock_skew": facts.clock_skew,
        }
        if facts
        else None
    )
    return {
        "name": one.node.name,
        "address": one.node.address,
        "usable": one.usable,
        "reason": one.reason,
        "warnings": one.warnings,
        "slots": one.node.slots,
        "leases": one.leases,
        "paused": failing.get(one.node.name, ""),
        "facts": known,
    }
