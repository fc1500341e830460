"""`crossbuild register warewulf3`."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli.options import Session, pass_session, set_options


@click.command()
@click.option(
    "--name", default="", metavar="NAME", help="Of bootstrap and VNFS.  [default: NAME-ARCH-DIGEST]"
)
@click.option("--node", "nodes", multiple=True, metavar="NAME", help="Let this node boot it; repeatable.")
@click.option(
    "--kernel-args",
    "arguments",
    default="",
    metavar="TEXT",
    help="Kernel arguments of these nodes.  [default: those of the image]",
)
@click.option("--set-arch", is_flag=True, help="Make aarch64 nodes of those that Warewulf takes for others.")
@click.option(
    "--remove-stale",
    is_flag=True,
    help="Remove folders that bootstraps left under an architecture that they no longer are of.",
)
@set_options
@pass_session
def warewulf3(
    session: Session,
    *,
    directory: Path,
    name: str,
    nodes: tuple[str, ...],
    arguments: str,
    set_arch: bool,
    remove_stale: bool,
    dry_run: bool,
    require_boot: bool,
    as_json: bool,
) -> None:
    """Register the set in DIRECTORY in the Warewulf 3 of this host.

    Bootstrap and VNFS are imported with their architecture and read back. What has the same name already is
    never overwritten.
    """
    from crossbuild.cli.registering import carry_out
    from crossbuild.errors import UsageError
    from crossbuild.registrars.warewulf3.registrar import Warewulf3, Warewulf3Wish

    if arguments and not nodes:
        raise UsageError("`--kernel-args` is for nodes.", resolution="Name them with `--node`.")
    wish = Warewulf3Wish(
        name=name, nodes=nodes, arguments=arguments, set_arch=set_arch, remove_stale=remove_stale
    )
    carry_out(
        session, Warewulf3(wish), directory, dry_run=dry_run, require_boot=require_boot, as_json=as_json
    )
