"""`crossbuild register ims`."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli.options import Session, pass_session, set_options


@click.command()
@click.option("--name", metavar="NAME", default="", help="What IMS calls it; by default the set's name.")
@set_options
@pass_session
def ims(
    session: Session, *, directory: Path, name: str, dry_run: bool, require_boot: bool, as_json: bool
) -> None:
    """Register the set in DIRECTORY in HPE's Image Management Service.

    The section `provisioners.ims` of the configuration says where IMS and its S3 are. The files are uploaded
    in parts, side by side; a registration that was killed goes on where it ended. A name that IMS has already
    is refused, and a set that IMS has already is left as it is.
    """
    from crossbuild.cli.registering import carry_out
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.registrar import ImsRegistrar
    from crossbuild.registrars.ims.service import access_of

    registrar = ImsRegistrar(access_of(load_site(session.config)), name=name)
    carry_out(session, registrar, directory, dry_run=dry_run, require_boot=require_boot, as_json=as_json)
