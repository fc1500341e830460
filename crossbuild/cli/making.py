"""What the commands that make builders share: the site, the engine, the words on stderr."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.options import Command, Session
from crossbuild.model.builder import Builder, EngineChoice, EngineKind
from crossbuild.model.site import Site

if TYPE_CHECKING:
    from crossbuild.pipeline.builders import Workshop

AUTO = "auto"


def engine_option(command: Command) -> Command:
    """Add `--engine`, passed on as *engine*."""
    return click.option(
        "--engine",
        type=click.Choice([AUTO, *(kind.value for kind in EngineKind)]),
        help="What holds it: a container engine, or crossbuild's own sandbox. Without this option, what the "
        "configuration names, else the first engine that answers.",
    )(command)


def emulator_option(command: Command) -> Command:
    """Add `--emulator-only`, passed on as *emulator_only*."""
    return click.option(
        "--emulator-only", is_flag=True, help="Run every program of it in qemu: slower, same result."
    )(command)


def entered_site(session: Session) -> Site:
    """Return the site's configuration, once this process may work on the site's files."""
    from crossbuild.config.site import load_site
    from crossbuild.host.namespace import become_root

    site = load_site(session.config)
    become_root(site)
    return site


def site_and_engine(session: Session, engine: str | None) -> tuple[Site, EngineChoice]:
    """Return the site, and what holds a new builder: *engine* of the command line, else the site's."""
    from crossbuild.builders.choosing import choose_engine
    from crossbuild.host.engines import find_engines

    # Asked before this process becomes root of a namespace of its own, where no engine is root's.
    private, engines = os.geteuid() != 0, find_engines()
    site = entered_site(session)
    wanted = {None: site.builders.engine, AUTO: None}.get(engine, engine)
    chosen = choose_engine(EngineKind(wanted) if wanted else None, engines, private=private)
    return site, chosen


@contextmanager
def workshop(site: Site, *, as_json: bool = False, emulator_only: bool = False) -> Iterator[Workshop]:
    """Yield what makes builders of *site*, telling on stderr how it goes on."""
    from crossbuild.cli.progress import progress_for
    from crossbuild.pipeline.builders import Workshop

    with progress_for(json=as_json) as on_event:
        yield Workshop(site=site, notice=console.note, on_event=on_event, emulator_only=emulator_only)


def tell_made(made: Builder, *, as_json: bool) -> None:
    """Say that *made* is there, and how to open it."""
    if as_json:
        console.print_json_line(made)
    else:
        flag = "" if made.name == "default" else f" --builder {made.name}"
        console.note("Open it: ", console.strong(f"crossbuild shell{flag}"))
