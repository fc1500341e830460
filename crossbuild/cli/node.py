"""`crossbuild node`: hosts that run builds natively."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.node_add import add
from crossbuild.cli.node_prepare import prepare
from crossbuild.cli.node_status import status
from crossbuild.cli.options import Session, json_option, pass_session

if TYPE_CHECKING:
    from crossbuild.nodes.store import NodeStore


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def node() -> None:
    """Add, look at and drain hosts that run builds natively."""


node.add_command(add)


@node.command(name="list")
@json_option
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the nodes, without asking them anything."""
    from crossbuild.nodes.store import render

    found = _store(session).all()
    if as_json:
        console.print_json([render(one) for one in found])
        return
    console.table(
        ("NAME", "ADDRESS", "ARCH", "SLOTS", "FOLDER", "DRAINED"),
        [
            (
                one.name,
                one.address,
                one.arch,
                str(one.slots),
                str(one.folder),
                "" if one.drained is None else one.drained or "yes",
            )
            for one in found
        ],
        right={3},
    )


node.add_command(status)


@node.command()
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why, for those who look at it later.")
@pass_session
def drain(session: Session, *, name: str, reason: str) -> None:
    """Give the node NAME no new builds; those on it go on."""
    _store(session).update(name, lambda found: replace(found, drained=reason))
    console.note(f"{name} gets no new builds. `crossbuild node resume {name}` takes that back.")


@node.command()
@click.argument("name")
@pass_session
def resume(session: Session, *, name: str) -> None:
    """Give the node NAME builds again, after it was drained or failed."""
    from crossbuild.config.site import load_site
    from crossbuild.nodes.holding import open_ledger

    _store(session).update(name, lambda found: replace(found, drained=None))
    with open_ledger(load_site(session.config).state) as ledger:
        ledger.report_success(name)
    console.note(f"{name} gets builds again.")


@node.command()
@click.argument("name")
@pass_session
def remove(session: Session, *, name: str) -> None:
    """Forget the node NAME and its host keys.

    Builds on it go on, and nothing is deleted there.
    """
    _store(session).remove(name)
    console.note(f"Removed {name}.")


node.add_command(prepare)


def _store(session: Session) -> NodeStore:
    from crossbuild.config.site import load_site
    from crossbuild.nodes.store import NodeStore

    return NodeStore(load_site(session.config).state)
