"""`crossbuild builder save` and `load`: a builder in one file, for hosts that reach nothing."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli import console
from crossbuild.cli.making import engine_option, entered_site, site_and_engine, tell_made, workshop
from crossbuild.cli.options import Session, json_option, pass_session


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def save(session: Session, *, name: str, file: Path) -> None:
    """Write the builder NAME into FILE, and print FILE's sha256.

    FILE holds the builder's files, downloaded packages among them, and its native twin; neither what lies in
    mounts nor snapshots. Only its owner may read FILE.
    """
    with workshop(entered_site(session)) as maker:
        digest = maker.save(name, file.absolute())
    console.line(f"{digest}  {file}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", default="", help="Give it this name instead of the one that it was saved under.")
@click.option("--with-mounts", is_flag=True, help="Show in it the folders that it showed on its host.")
@engine_option
@json_option
@pass_session
def load(
    session: Session, *, file: Path, name: str, with_mounts: bool, engine: str | None, as_json: bool
) -> None:
    """Make the builder that FILE holds; nothing is downloaded.

    Any engine takes what any other saved. Load only what you would run: check FILE's sha256 first.
    """
    site, chosen = site_and_engine(session, engine)
    console.note(f"Engine: {chosen.kind}, since {chosen.reason}.")
    with workshop(site, as_json=as_json) as maker:
        made = maker.load(file.absolute(), chosen, name=name, own_mounts=with_mounts)
    tell_made(made, as_json=as_json)
