"""`crossbuild register warewulf4`."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli.options import Session, pass_session, set_options


@click.command()
@click.option("--name", default="", metavar="NAME", help="Of the image.  [default: NAME-ARCH-DIGEST]")
@click.option("--node", "nodes", multiple=True, metavar="NAME", help="Let this node boot it; repeatable.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="Let nodes of this profile boot it; repeatable.",
)
@click.option(
    "--kernel-args",
    "arguments",
    default="",
    metavar="TEXT",
    help="Kernel arguments of these.  [default: those of the image]",
)
@click.option("--no-syncuser", is_flag=True, help="Leave the ids of accounts in the image as they are.")
@click.option("--set-arch", is_flag=True, help="Also where an image for another architecture is booted now.")
@set_options
@pass_session
def warewulf4(
    session: Session,
    *,
    directory: Path,
    name: str,
    nodes: tuple[str, ...],
    profiles: tuple[str, ...],
    arguments: str,
    no_syncuser: bool,
    set_arch: bool,
    dry_run: bool,
    require_boot: bool,
    as_json: bool,
) -> None:
    """Register the set in DIRECTORY in the Warewulf 4 of this host.

    The image is imported under a name of its own, built, and looked through. An image that is there already
    is never overwritten.
    """
    from crossbuild.artifacts.receipts import receipts_of
    from crossbuild.cli.registering import carry_out
    from crossbuild.errors import UsageError
    from crossbuild.registrars.warewulf4.registrar import Warewulf4, Warewulf4Wish

    if arguments and not nodes and not profiles:
        raise UsageError(
            "`--kernel-args` is for nodes.", resolution="Name them with `--node` or `--profile`."
        )
    wish = Warewulf4Wish(
        name=name,
        nodes=nodes,
        profiles=profiles,
        arguments=arguments,
        synchronize=not no_syncuser,
        set_arch=set_arch,
    )
    registrar = Warewulf4(wish, lambda: (receipt for _, receipt in receipts_of(directory)))
    carry_out(session, registrar, directory, dry_run=dry_run, require_boot=require_boot, as_json=as_json)
