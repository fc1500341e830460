"""`crossbuild doctor`: what works on this host, what does not, and the command that mends it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, assert_never

import click

from crossbuild.cli.options import Session, json_option, pass_session

if TYPE_CHECKING:
    from crossbuild.cli.console import Span
    from crossbuild.model.host import Check, Status


@click.command()
@json_option
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session, *, as_json: bool) -> None:
    """Show what works on this host, what does not, and what mends it.

    Nothing is changed. Exit status 0 says that builds can run, 3 that they cannot. Some checks need root.
    """
    from crossbuild.cli import console
    from crossbuild.config.site import load_site
    from crossbuild.errors import HostNotReadyError
    from crossbuild.host.checks import run_checks
    from crossbuild.host.facts import inspect_host
    from crossbuild.model.host import can_build

    site = load_site(session.config)
    facts = inspect_host((site.state, site.roots))
    checks = run_checks(facts, roots=site.roots, qemu=os.fspath(site.qemu) if site.qemu else "")
    ready = can_build(checks)
    if as_json:
        console.print_json({"ready": ready, "checks": checks, "host": facts})
    else:
        show_checks(checks)
        console.line()
        console.line(console.good("Builds can run.") if ready else console.bad("Builds cannot run yet."))
    context.exit(0 if ready else HostNotReadyError.exit_code)


def show_checks(checks: tuple[Check, ...]) -> None:
    """Print one row for each of *checks*, and below them what mends those that are not well."""
    from crossbuild.cli import console
    from crossbuild.model.host import Status

    rows = [(_mark(check.status), check.name, check.brief) for check in checks]
    console.table(("", "Check", "What was found"), rows)
    for check in checks:
        if check.status in {Status.WARNING, Status.FAILED}:
            console.line()
            console.line(_mark(check.status), f"  {check.name}: {check.brief}")
            for detail in check.details.splitlines():
                console.line(f"  {detail}")
            if check.remedy:
                console.line(console.strong("  What mends it: "), check.remedy)


def _mark(status: Status) -> Span:
    from crossbuild.cli import console
    from crossbuild.model.host import Status

    match status:
        case Status.OK:
            return console.good(status.value)
        case Status.WARNING:
            return console.warning(status.value)
        case Status.FAILED:
            return console.bad(status.value)
        case Status.SKIPPED:
            return console.faint(status.value)
        case _:
            assert_never(status)
