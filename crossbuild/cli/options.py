"""What every command shares: the global options' values and the `--json` flag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from crossbuild.model.site import Site

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Session:
    """One run of the command line, the `obj` of click's context."""

    config: Path | None = None
    """The file given with `--config`."""
    as_json: bool = False
    """Whether stdout belongs to a program: then an error is told there too."""


pass_session = click.make_pass_decorator(Session, ensure=True)


def json_option(command: Command) -> Command:
    """Add `--json`, passed on as *as_json*, and let the error boundary know of it."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_remember,
        help="Print JSON for programs on stdout, and nothing else there.",
    )(command)


def on_option(command: Command) -> Command:
    """Add `--on`, passed on as *on* for `site_on`."""
    return click.option(
        "--on",
        metavar="PLACE",
        default="",
        help="Make roots there: auto, local, nodes, slurm, or a node's name. Default: `offload.to`.",
    )(command)


def site_on(site: Site, on: str) -> Site:
    """Return *site* with the place that `--on` names, where it names one."""
    return replace(site, offload=replace(site.offload, on=on)) if on else site


def set_options(command: Command) -> Command:
    """Add what every command that registers has: *directory*, *dry_run*, *require_boot* and *as_json*."""
    command = json_option(command)
    command = click.option(
        "--require-boot", is_flag=True, help="Refuse a set that `crossbuild boot` has not seen booting so."
    )(command)
    command = click.option(
        "--dry-run", is_flag=True, help="Print exactly what would be done, and do nothing."
    )(command)
    return click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))(command)


def builder_option(command: Command) -> Command:
    """Add `--builder`, passed on as *builder*."""
    return click.option(
        "-b",
        "--builder",
        metavar="NAME",
        default="default",
        show_default=True,
        help="The builder to run in.",
    )(command)


def _remember(context: click.Context, _: click.Parameter, value: object) -> bool:
    session = context.ensure_object(Session)
    session.as_json = bool(value)
    return session.as_json
