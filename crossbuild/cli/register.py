"""`crossbuild register`: hand an artifact set to a provisioner, or take that back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from crossbuild.cli.lazy import Entry, LazyGroup
from crossbuild.cli.options import Session, json_option, pass_session

COMMANDS: Mapping[str, Entry] = {
    "warewulf3": Entry(
        module="crossbuild.cli.registrars.warewulf3",
        help="Register the set in DIRECTORY in the Warewulf 3 of this host.",
    ),
    "warewulf4": Entry(
        module="crossbuild.cli.registrars.warewulf4",
        help="Register the set in DIRECTORY in the Warewulf 4 of this host.",
    ),
    "ims": Entry(
        module="crossbuild.cli.registrars.ims",
        help="Register the set in DIRECTORY in HPE's Image Management Service.",
    ),
}
"""One for each provisioner, in a file of its own below `registrars/`."""


@click.group(cls=LazyGroup, entries=COMMANDS, invoke_without_command=True)
@click.option(
    "--undo",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RECEIPT",
    help="Take back what this receipt of an artifact set tells.",
)
@click.option("--dry-run", is_flag=True, help="With --undo: print what would be done, and do nothing.")
@json_option
@pass_session
@click.pass_context
def register(
    context: click.Context, session: Session, *, undo: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Hand artifact sets to provisioners, or take that back.

    Everything is read back. Each registration leaves a receipt in the folder `receipts` of the set.
    """
    if context.invoked_subcommand is None:
        if undo is None:
            raise click.UsageError("Name a provisioner, or a receipt with --undo.", context)
        from crossbuild.cli.registering import take_back

        take_back(session, undo, dry_run=dry_run, as_json=as_json)
    elif undo or dry_run or as_json:
        raise click.UsageError("These options stand behind the provisioner; --undo needs none.", context)
