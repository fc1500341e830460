"""`crossbuild job`: builds that run or ran, here and elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.config.site import load_site

if TYPE_CHECKING:
    from crossbuild.jobs.store import JobStore
    from crossbuild.model.job import Job

LOOK = 0.2
"""Seconds between two looks at a log that grows."""


@click.group()
def job() -> None:
    """Show, finish, end and clear up builds, here and elsewhere."""


@job.command(name="list")
@json_option
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List builds, the latest last."""
    store, jobs = _all(session)
    if as_json:
        console.print_json([_document(store, one) for one in jobs])
        return
    rows = []
    for one in jobs:
        told = _document(store, one)
        rows.append((one.id, str(told["condition"]), str(told["venue"] or "-"), one.created, str(one.target)))
    console.table(("JOB", "STATE", "WHERE", "SINCE", "SET"), rows)


@job.command()
@click.argument("name", metavar="JOB")
@json_option
@pass_session
def show(session: Session, name: str, *, as_json: bool) -> None:
    """Show where JOB runs and why, and how it ended.

    The beginning of its id is enough.
    """
    from crossbuild.jobs.store import JobStore

    store = JobStore(load_site(session.config).state)
    told = _document(store, store.load(name))
    if as_json:
        console.print_json(told)
        return
    console.table(("", ""), [(key, str(value)) for key, value in told.items() if value])


@job.command()
@click.argument("name", metavar="JOB")
@click.option("-f", "--follow", is_flag=True, help="Go on until the build ends.")
@pass_session
def logs(session: Session, name: str, *, follow: bool) -> None:
    """Print the log of JOB."""
    from crossbuild.jobs.store import JobStore

    store = JobStore(load_site(session.config).state)
    _print_log(store, store.load(name), follow=follow)


@job.command()
@click.argument("name", metavar="JOB")
@json_option
@pass_session
def attach(session: Session, name: str, *, as_json: bool) -> None:
    """Finish JOB, which goes on elsewhere while the process that began it is gone."""
    from crossbuild.cli.progress import progress_for
    from crossbuild.host.namespace import become_root
    from crossbuild.pipeline import jobs

    site = load_site(session.config)
    become_root(site)
    with progress_for(json=as_json) as on_event:
        made = jobs.attach(name, site, on_event)
    if not as_json:
        console.line(f"{made.name} is in {console.near(made.directory)}")


@job.command()
@click.argument("name", metavar="JOB")
@pass_session
def cancel(session: Session, name: str) -> None:
    """End JOB wherever it runs; nothing of it is left."""
    from crossbuild.pipeline import jobs

    ended = jobs.cancel(name, load_site(session.config))
    console.line(f"{ended.id} is cancelled.")


@job.command()
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@json_option
@pass_session
def clean(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Remove from nodes what builds of this server left there when they were killed.

    Builds that go on are left alone, and so is everything of others.
    """
    from crossbuild.pipeline import jobs

    site = load_site(session.config)

    def tell(message: str) -> None:
        console.note(f"Note: {message}")

    found = jobs.orphans(site, tell) if dry_run else jobs.clean(site, tell)
    if as_json:
        console.print_json(found)
        return
    for orphan in found:
        console.line(f"{orphan.node}: {orphan.job} {'would be' if dry_run else 'was'} removed")
    if not found:
        console.line("Nothing was left anywhere.")


def _all(session: Session) -> tuple[JobStore, tuple[Job, ...]]:
    from crossbuild.jobs.store import JobStore

    store = JobStore(load_site(session.config).state)
    return store, store.all()


def _document(store: JobStore, one: Job) -> dict[str, object]:
    """Return *one* as `--json` prints it (docs/reference/jobs.md)."""
    from crossbuild.pipeline.jobs import condition

    return {
        "id": one.id,
        "name": one.name,
        "condition": condition(store, one).value,
        "venue": one.venue.name if one.venue else None,
        "reason": one.venue.reason if one.venue else "",
        "target": str(one.target),
        "created": one.created,
        "ended": one.ended,
        "brief": one.brief,
        "log": str(store.log(one.id)),
    }


def _print_log(store: JobStore, one: Job, *, follow: bool) -> None:
    path = Path(store.log(one.id))
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as log:
        while True:
            # Looked at first: what was written before the end is read after it.
            ended = not follow or store.owner(one.id) is None
            while text := log.read(1 << 16):
                sys.stdout.write(text)
            sys.stdout.flush()
            if ended:
                return
            time.sleep(LOOK)
