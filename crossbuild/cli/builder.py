"""`crossbuild builder`: persistent aarch64 environments, made, listed, taken back and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.builder_bundle import load, save
from crossbuild.cli.builder_make import create, rebuild
from crossbuild.cli.export import export
from crossbuild.cli.making import entered_site
from crossbuild.cli.options import Session, json_option, pass_session

if TYPE_CHECKING:
    from crossbuild.builders.service import Builders


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def builder() -> None:
    """Make, take back and remove builders: aarch64 systems that stay."""


for _command in (create, rebuild, save, load, export):
    builder.add_command(_command)


@builder.command(name="list")
@json_option
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the builders of this host."""
    builders = _builders(session)
    found = builders.list()
    if as_json:
        console.print_json(found)
        return
    console.table(
        ("NAME", "ENGINE", "ARCH", "BASE", "CHANGES", "SNAPSHOTS"),
        [
            (one.name, one.engine, one.arch, one.origin.title, str(len(one.changes)), str(len(one.snapshots)))
            for one in found
        ],
        right={4, 5},
    )


@builder.command()
@click.argument("name", default="default")
@json_option
@pass_session
def show(session: Session, *, name: str, as_json: bool) -> None:
    """Show what the builder NAME was made of, what changed it, and its snapshots."""
    import shlex

    builders = _builders(session)
    found = builders.find(name)
    if as_json:
        console.print_json(found)
        return
    console.line(console.strong(found.name), f": {found.arch}, {found.origin.title}")
    console.line(f"engine: {found.engine}, since {found.reason}")
    for mount in found.mounts:
        console.line(f"mount: {mount.source} at {mount.target}{', read-only' if mount.read_only else ''}")
    for change in found.changes:
        status = f" (status {change.status})" if change.status else ""
        console.line(f"change: {shlex.join(change.argv)}{status}")
    for snapshot in found.snapshots:
        console.line(f"snapshot: {snapshot.name}, {snapshot.taken}{', automatic' * snapshot.automatic}")
    if found.interrupted:
        console.line(console.warning("A run that may have changed packages was killed."))


@builder.command()
@click.argument("name")
@click.argument("snapshot", default="")
@pass_session
def snapshot(session: Session, *, name: str, snapshot: str) -> None:
    """Keep the present state of the builder NAME as SNAPSHOT.

    Without SNAPSHOT, the time names it.
    """
    builders = _builders(session)
    console.line(builders.snapshot(name, snapshot))


@builder.command()
@click.argument("name")
@click.argument("snapshot", default="")
@pass_session
def rollback(session: Session, *, name: str, snapshot: str) -> None:
    """Take the builder NAME back to SNAPSHOT, by default its newest one.

    All later changes and snapshots are dropped; what lies in mounts stays as it is.
    """
    builders = _builders(session)
    chosen = builders.rollback(name, snapshot)
    console.note(f"{name} is as it was at {chosen.taken} ({chosen.name}).")


@builder.command()
@click.argument("name")
@click.argument("snapshot")
@pass_session
def forget(session: Session, *, name: str, snapshot: str) -> None:
    """Drop SNAPSHOT of the builder NAME, whose present state stays."""
    builders = _builders(session)
    builders.forget(name, snapshot)
    console.note(f"Dropped {snapshot}.")


@builder.command()
@click.argument("name")
@pass_session
def remove(session: Session, *, name: str) -> None:
    """Remove the builder NAME with its snapshots; what lies in mounts stays."""
    builders = _builders(session)
    builders.remove(name)
    console.note(f"Removed {name}.")


def _builders(session: Session) -> Builders:
    from crossbuild.builders.service import Builders

    site = entered_site(session)
    return Builders(site=site, notice=console.note)
