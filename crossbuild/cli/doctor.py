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
@click.option(
    "--measure",
    is_flag=True,
    help="Also measure each installed qemu, and recommend one. This takes some seconds.",
)
@json_option
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session, *, measure: bool, as_json: bool) -> None:
    """Show what works on this host, what does not, and what mends it.

    Nothing is changed. Exit status 0 says that builds can run, 3 that they cannot. For others than root,
    everything is tried in a private namespace, where their builds run, too.
    """
    from crossbuild.cli import console
    from crossbuild.cli.measured import show_measured
    from crossbuild.config.site import SYSTEM_FILE, load_site, site_file
    from crossbuild.errors import HostNotReadyError
    from crossbuild.host.advice import advise
    from crossbuild.host.checks import run_checks
    from crossbuild.host.checks.privacy import enter_and_judge
    from crossbuild.host.facts import inspect_host
    from crossbuild.host.measure import measure_emulators
    from crossbuild.host.qemu import find_emulators
    from crossbuild.model.host import can_build

    site = load_site(session.config)
    facts = inspect_host((site.state, site.roots))
    qemu = os.fspath(site.qemu) if site.qemu else ""
    facts, privacy = (facts, ()) if facts.root else enter_and_judge(site, facts)
    checks = (*privacy, *run_checks(facts, roots=site.roots, qemu=qemu))
    ready = can_build(checks)
    measured = measure_emulators(find_emulators(qemu), facts) if measure else ()
    if as_json:
        verdict = {"qemu": measured, "advice": advise(measured)} if measure else None
        console.print_json({"ready": ready, "checks": checks, "host": facts, "measured": verdict})
    else:
        show_checks(checks)
        console.line()
        if measure:
            file = session.config or site_file() or SYSTEM_FILE
            show_measured(measured, advise(measured), configured=qemu, configuration=file)
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
