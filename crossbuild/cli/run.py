"""`crossbuild run`: a command in a builder, as if it ran here."""

from __future__ import annotations

import os
import sys
from pathlib import PurePosixPath
from typing import NoReturn

import click

from crossbuild.cli.options import Session, builder_option, pass_session


@click.command(context_settings={"allow_interspersed_args": False})
@builder_option
@click.option(
    "--changes", is_flag=True, help="Take a snapshot before it and let no other change run beside it."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_session
def run(session: Session, *, builder: str, changes: bool, command: tuple[str, ...]) -> None:
    """Run COMMAND in a builder.

    Arguments, standard streams, signals and the exit status pass through; a terminal is not needed. Package
    managers are recognised and treated as with --changes.
    """
    from crossbuild.builders.changes import changes_packages

    run_in(session, builder, command, changes=changes or changes_packages(command))


def run_in(session: Session, name: str, words: tuple[str, ...], *, changes: bool) -> NoReturn:
    """Run *words*, or a shell without any, in the builder *name*, and end as they end."""
    from crossbuild.builders.contract import Command
    from crossbuild.builders.service import Builders
    from crossbuild.config.site import load_site
    from crossbuild.machines.sandbox import environment_inside

    site = load_site(session.config)
    if os.geteuid() != 0:
        from crossbuild.host.namespace import become_root

        become_root(site)
    command = Command(
        argv=words, environment=environment_inside(), terminal=_has_terminal(), directory=PurePosixPath("/")
    )
    status = Builders(site=site, notice=_note).run(name, command, changes=changes)
    # As a shell reports a program that a signal ended.
    sys.exit(status if status >= 0 else 128 - status)


def _has_terminal() -> bool:
    """Say whether somebody reads and types; not for a run in the background, which may not touch it."""
    try:
        return os.isatty(1) and os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def _note(message: str) -> None:
    from crossbuild.cli import console

    console.note(message)
