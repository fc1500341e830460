"""`crossbuild shell`: an interactive aarch64 prompt."""

from __future__ import annotations

import click

from crossbuild.cli.options import Session, builder_option, pass_session
from crossbuild.cli.run import run_in


@click.command()
@builder_option
@pass_session
def shell(session: Session, *, builder: str) -> None:
    """Open an interactive aarch64 shell in a builder.

    Without a terminal it reads commands from standard input.
    """
    run_in(session, builder, (), changes=True)
