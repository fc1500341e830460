"""`crossbuild run`: a command in a builder, as if it ran here."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn

import click

from crossbuild.cli import quick
from crossbuild.cli.options import Session, builder_option, pass_session
from crossbuild.errors import CrossbuildError

if TYPE_CHECKING:
    from crossbuild.model.builder import Builder
    from crossbuild.model.site import Site


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
    from crossbuild.builders import store
    from crossbuild.builders.contract import Command
    from crossbuild.builders.service import Builders
    from crossbuild.config.site import candidates, load_site
    from crossbuild.machines.environment import environment_inside

    # What the note of this run is to stand for: the files as they were before they were read.
    read = {os.fspath(path): quick.state_of(os.fspath(path)) for path in candidates(session.config)}
    site = load_site(session.config)
    if os.geteuid() != 0:
        from crossbuild.host.namespace import become_root

        become_root(site)
    command = Command(
        argv=words,
        environment=environment_inside(),
        terminal=quick.has_terminal(),
        directory=PurePosixPath("/"),
    )
    record = os.fspath(store.places(site, name).record)
    read[record] = quick.state_of(record)
    builders = Builders(site=site, notice=_note)
    status = builders.run(name, command, changes=changes)
    with contextlib.suppress(CrossbuildError):
        # Somebody may have removed it meanwhile.
        _leave_note(session, site, builders.find(name), read)
    # As a shell reports a program that a signal ended.
    sys.exit(status if status >= 0 else 128 - status)


def _leave_note(session: Session, site: Site, builder: Builder, read: dict[str, str]) -> None:
    """Let the next run in a container start without all that was loaded here."""
    from crossbuild.builders import store
    from crossbuild.builders.service import RUNS
    from crossbuild.engines.names import container_name
    from crossbuild.host.engine_sockets import engine_address, socket_path
    from crossbuild.model.builder import EngineKind

    if builder.engine is EngineKind.SANDBOX:
        return
    place = store.places(site, builder.name)
    config = os.fspath(session.config) if session.config else ""
    quick.leave_note(
        quick.Request(config, builder.name, ()),
        read,
        socket=socket_path(engine_address(builder.engine.value)) or "",
        container=container_name(builder.name),
        lock=os.fspath(place.lock(RUNS)),
        open=os.fspath(place.open),
    )


def _note(message: str) -> None:
    from crossbuild.cli import console

    console.note(message)
