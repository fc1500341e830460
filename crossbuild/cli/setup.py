"""`crossbuild setup`: let this host run aarch64 programs, or take back what was done for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossbuild.cli.options import Session, pass_session

if TYPE_CHECKING:
    from crossbuild.host.changes import Change
    from crossbuild.model.host import Handler
    from crossbuild.model.site import Site


@click.command()
@click.option("--dry-run", is_flag=True, help="List the changes with their reasons, and make none.")
@click.option("--undo", is_flag=True, help="Take back exactly what setup did on this host.")
@click.option(
    "--qemu", type=click.Path(path_type=Path), metavar="PATH", help="Register this static qemu-aarch64."
)
@click.option(
    "--credentials",
    is_flag=True,
    help="Let set-uid aarch64 programs gain their owner's identity. Any local user who can execute one may "
    "then become root: see docs/explanation/emulation.md.",
)
@pass_session
def setup(session: Session, *, dry_run: bool, undo: bool, qemu: Path | None, credentials: bool) -> None:
    """Let this host run aarch64 programs.

    Every change is listed and recorded before it is made. Handlers of others stay as they are. Running it
    again changes nothing that is well already.
    """
    from crossbuild.config.site import load_site
    from crossbuild.errors import UsageError

    site = load_site(session.config)
    if not undo:
        _set_up(site, qemu=qemu or site.qemu, credentials=credentials, dry_run=dry_run)
    elif qemu or credentials:
        raise UsageError(
            "`--undo` takes back what was recorded: `--qemu` and `--credentials` have no place there."
        )
    else:
        _take_back(site, dry_run=dry_run)


def _set_up(site: Site, *, qemu: Path | None, credentials: bool, dry_run: bool) -> None:
    from crossbuild.cli import console
    from crossbuild.host import setup as host_setup
    from crossbuild.host.checks.emulation import rivals
    from crossbuild.host.facts import inspect_host
    from crossbuild.host.qemu import choose_emulator, find_emulators

    if not dry_run:
        host_setup.require_root()
    facts = inspect_host()
    path = os.fspath(qemu.absolute()) if qemu else ""
    emulator = choose_emulator(
        find_emulators(path), kernel=facts.kernel_version, configured=path, credentials=credentials
    )
    for rival in rivals(facts):
        console.note(_rival_line(rival))
    planned = host_setup.plan_setup(facts, host_setup.wish_for(emulator, roots=site.roots, state=site.state))
    if not planned:
        console.line("Nothing to do: this host is set up.")
    elif dry_run:
        for change in planned:
            _show("Would", change)
    else:
        host_setup.apply_setup(planned, site.state, lambda change: _show("Will", change))
        console.line(console.good("Done: aarch64 programs run on this host and in chroots."))
        if not facts.systemd:
            console.note("systemd does not run here: run `crossbuild setup` again after each restart.")


def _take_back(site: Site, *, dry_run: bool) -> None:
    from crossbuild.cli import console
    from crossbuild.host import setup as host_setup
    from crossbuild.host.changes import describe
    from crossbuild.host.journal import Journal

    entries = Journal(site.state).entries()
    if not entries:
        console.line("Nothing to take back: no change of setup is recorded.")
    elif dry_run:
        for entry in reversed(entries):
            console.line("Would take back: ", describe(entry.change))
    else:
        left = host_setup.undo_setup(
            site.state, lambda change: console.line("Taking back: ", describe(change))
        )
        for item in left:
            console.line(console.warning("Left as it is: "), f"{describe(item.change)}. {item.reason}")
        console.line(console.good("Done."))


def _show(verb: str, change: Change) -> None:
    from crossbuild.cli import console
    from crossbuild.host.changes import describe

    console.line(console.strong(f"{verb} "), f"{describe(change)}. ", console.faint(change.reason))


def _rival_line(rival: Handler) -> str:
    return (
        f"`{rival.name}` of another owner takes aarch64 programs, too (flags {rival.flags or 'none'}). "
        "It stays as it is; crossbuild's own handler comes before it."
    )
