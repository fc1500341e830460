"""`crossbuild node prepare`: what a node lacks is shown, or provided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, pass_session

if TYPE_CHECKING:
    from crossbuild.nodes.preparing import Need


@click.command()
@click.argument("name")
@click.option("--apply", is_flag=True, help="Do on the node what would be printed.")
@click.option(
    "--device",
    metavar="PATH",
    help="A disk of the node: with --apply it is mounted as the build folder, and formatted if it is empty.",
)
@click.option("--rbd", metavar="POOL/NAME", help="Print what makes this image of Ceph the build folder.")
@click.option("--rbd-size", metavar="SIZE", default="1000G", show_default=True, help="Of a new image.")
@click.pass_context
@pass_session
def prepare(
    session: Session,
    context: click.Context,
    *,
    name: str,
    apply: bool,
    device: str | None,
    rbd: str | None,
    rbd_size: str,
) -> None:
    """Show what the node NAME lacks for builds, and what provides it.

    Status 1 if it lacks something. A disk that holds anything is never formatted: with ext4 or xfs it is
    mounted as it is, else refused.
    """
    from crossbuild.config.site import load_site
    from crossbuild.nodes.preparing import (
        CephSpace,
        ceph_commands,
        mount_device,
        needs,
        provide,
        read_os_release,
    )
    from crossbuild.nodes.probe import ask
    from crossbuild.nodes.ssh import connect
    from crossbuild.nodes.store import NodeStore

    store = NodeStore(load_site(session.config).state)
    node = store.load(name)
    connection = connect(store, node)
    if device and apply:
        mount_device(connection, device)
        console.note(f"{device} is mounted at {node.folder}.")
    elif device:
        console.note(f"With --apply, {device} would be mounted at {node.folder}.")
    facts = ask(connection)
    if rbd:
        for command in ceph_commands(node, facts, CephSpace(image=rbd, size=rbd_size)).splitlines():
            console.line(command)
        return
    release = read_os_release(connection)
    found = needs(node, facts, release)
    if apply:
        for need in found:
            if not need.met:
                provide(connection, facts, need, lambda command: console.note(f"Running there: {command}"))
        found = needs(node, ask(connection), release)
    _show(found)
    context.exit(0 if all(need.met for need in found) else 1)


def _show(found: Sequence[Need]) -> None:
    rows = [
        (console.good("there") if need.met else console.bad("missing"), need.what, need.found)
        for need in found
    ]
    console.table(("", "NEEDED", "FOUND"), rows)
    for need in found:
        for command in () if need.met else need.commands:
            console.note(console.strong("On the node: "), command)
