"""`crossbuild ims remote-build-nodes` and the locks of HSM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crossbuild.cli.options import Session, json_option, pass_session

if TYPE_CHECKING:
    from crossbuild.registrars.ims.locks import Locks, LockState
    from crossbuild.registrars.ims.nodes import RemoteBuildNodes


@click.group(name="remote-build-nodes")
def remote_build_nodes() -> None:
    """List, add, remove and look at the nodes on which IMS runs jobs."""


@remote_build_nodes.command()
@click.argument("xname")
@json_option
@pass_session
def create(session: Session, *, xname: str, as_json: bool) -> None:
    """Add the node XNAME, once: IMS itself would take it twice."""
    from crossbuild.cli import console

    made = _nodes(session).create(xname)
    if as_json:
        console.print_json({"xname": xname, "created": made})
    else:
        console.line(f"{xname} was added." if made else f"{xname} is there already.")
        console.note(console.strong("Next: "), f"crossbuild ims remote-build-nodes status {xname}")


@remote_build_nodes.command(name="list")
@json_option
@pass_session
def list_nodes(session: Session, *, as_json: bool) -> None:
    """List the nodes."""
    from crossbuild.cli import console

    names = _nodes(session).all()
    if as_json:
        console.print_json([{"xname": name} for name in names])
    else:
        console.table(("Node",), [(name,) for name in names])


@remote_build_nodes.command()
@click.argument("xnames", nargs=-1, metavar="[XNAME]...")
@json_option
@click.pass_context
@pass_session
def status(session: Session, context: click.Context, *, xnames: tuple[str, ...], as_json: bool) -> None:
    """Show whether the nodes XNAME, or all, can run jobs; status 1 if one cannot.

    IMS asks each node at this moment, one after the other.
    """
    from crossbuild.cli import console

    found = _nodes(session).status(xnames)
    if as_json:
        console.print_json(found)
    else:
        rows = [
            (
                console.good("ready") if node.able else console.bad("not ready"),
                node.xname,
                node.arch,
                "-" if node.jobs < 0 else str(node.jobs),
                node.ssh,
                node.podman,
            )
            for node in found
        ]
        console.table(("", "Node", "Arch", "Jobs", "SSH", "Podman"), rows, right={3})
    context.exit(0 if all(node.able for node in found) else 1)


@remote_build_nodes.command()
@click.argument("xname")
@json_option
@pass_session
def delete(session: Session, *, xname: str, as_json: bool) -> None:
    """Take the node XNAME off the list; jobs on it go on."""
    from crossbuild.cli import console

    gone = _nodes(session).delete(xname)
    if as_json:
        console.print_json({"xname": xname, "deleted": gone})
    else:
        console.line(f"{xname} was taken off the list." if gone else f"{xname} is not on the list.")


@click.command()
@click.argument("xnames", nargs=-1, required=True, metavar="XNAME...")
@json_option
@pass_session
def lock(session: Session, *, xnames: tuple[str, ...], as_json: bool) -> None:
    """Lock the nodes XNAME in HSM, all or none: nobody boots them or switches them off by mistake."""
    _show_locks(_locks(session).set(xnames, locked=True), as_json=as_json)


@click.command()
@click.argument("xnames", nargs=-1, required=True, metavar="XNAME...")
@json_option
@pass_session
def unlock(session: Session, *, xnames: tuple[str, ...], as_json: bool) -> None:
    """Unlock the nodes XNAME in HSM, all or none."""
    _show_locks(_locks(session).set(xnames, locked=False), as_json=as_json)


@click.command()
@click.argument("xnames", nargs=-1, required=True, metavar="XNAME...")
@json_option
@pass_session
def locks(session: Session, *, xnames: tuple[str, ...], as_json: bool) -> None:
    """Show whether the nodes XNAME are locked in HSM."""
    _show_locks(_locks(session).status(xnames), as_json=as_json)


def _nodes(session: Session) -> RemoteBuildNodes:
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.gateway import Gateway
    from crossbuild.registrars.ims.nodes import RemoteBuildNodes
    from crossbuild.registrars.ims.service import access_of

    access = access_of(load_site(session.config))
    return RemoteBuildNodes(Gateway(access), access.api)


def _locks(session: Session) -> Locks:
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.gateway import Gateway
    from crossbuild.registrars.ims.locks import Locks
    from crossbuild.registrars.ims.service import access_of

    access = access_of(load_site(session.config))
    return Locks(Gateway(access), access.gateway)


def _show_locks(states: Sequence[LockState], *, as_json: bool) -> None:
    from crossbuild.cli import console

    if as_json:
        console.print_json(states)
        return
    rows = [
        (state.xname, "locked" if state.locked else "unlocked", "yes" if state.reserved else "no")
        for state in states
    ]
    console.table(("Node", "State", "Reserved"), rows)
