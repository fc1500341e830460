"""`crossbuild openhpc`: the releases of OpenHPC, and the packages behind its groups."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, pass_session


@click.group()
def openhpc() -> None:
    """Show OpenHPC's releases, and the packages behind its groups."""


@openhpc.command(name="list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the releases, each with what it is made for."""
    from crossbuild.distros.catalog import RELEASES
    from crossbuild.distros.openhpc.releases import OPENHPC_RELEASES

    fitting = {
        known.name: [f"{entry.distro} {entry.release}" for entry in RELEASES if known.tree(entry)]
        for known in OPENHPC_RELEASES
    }
    if as_json:
        console.print_json(
            [
                {"release": known.name, "distributions": fitting[known.name], "toolchain": known.toolchain}
                for known in OPENHPC_RELEASES
            ]
        )
        return
    console.table(
        ("RELEASE", "COMPILER", "MPI", "KEY", "DISTRIBUTIONS"),
        [
            (
                known.name,
                known.toolchain.compiler,
                known.toolchain.openmpi,
                "known" if known.series.fingerprints else console.warning("not known"),
                ", ".join(fitting[known.name]),
            )
            for known in OPENHPC_RELEASES
        ],
    )


@openhpc.command()
@click.argument("spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SPEC")
@click.argument("groups", metavar="[GROUP...]", nargs=-1)
@json_option
@pass_session
def packages(session: Session, spec: Path, groups: tuple[str, ...], *, as_json: bool) -> None:
    """Print the packages of groups, one on each line.

    SPEC says of which release, and for which distribution and architecture. Without a GROUP, it is those that
    SPEC names.
    """
    from crossbuild.config.site import load_site
    from crossbuild.config.spec import openhpc_of

    chosen = openhpc_of(spec, load_site(session.config), groups)
    if as_json:
        console.print_json({"release": chosen.release, "groups": chosen.groups})
        return
    for name in chosen.packages:
        console.line(name)
