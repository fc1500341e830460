"""`crossbuild root`: aarch64 roots on local disk, made, entered and removed by name."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crossbuild.cli import console
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.site import Site

PASS_THROUGH = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""A command inside the root has options of its own, which are none of crossbuild's."""


@click.group()
def root() -> None:
    """Make, enter and remove aarch64 roots."""


@root.command()
@click.argument("name")
@click.option("--distro", default="debian", show_default=True)
@click.option("--release", default="12", show_default=True)
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Install it too; repeatable.")
@click.option(
    "--spec",
    "spec_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take everything but the name from this spec.",
)
@click.option("--replace", is_flag=True, help="Put the new root in the place of one with that name.")
@click.option(
    "--emulator-only", is_flag=True, help="Run every program of the root in qemu: slower, same result."
)
@json_option
@pass_session
def create(
    session: Session,
    *,
    name: str,
    distro: str,
    release: str,
    packages: tuple[str, ...],
    spec_file: Path | None,
    replace: bool,
    emulator_only: bool,
    as_json: bool,
) -> None:
    """Make the root NAME."""
    from crossbuild.cli.progress import progress_for
    from crossbuild.config.document import read_document
    from crossbuild.config.spec import spec_from
    from crossbuild.host.namespace import become_root
    from crossbuild.pipeline.building import create_root

    site = _site(session)
    document: dict[str, object] = {"distro": distro, "release": release, "kernel": False}
    if spec_file:
        document = read_document(spec_file)
    document = {**document, "name": name}
    if packages:
        document["packages"] = [*_listed(document.get("packages")), *packages]
    spec = spec_from(document, spec_file or Path("the command line"), site)
    become_root(site)
    with progress_for(json=as_json) as on_event:
        path = create_root(spec, site, on_event=on_event, replace=replace, emulator_only=emulator_only)
    if not as_json:
        console.line(f"{path}")
        console.note("Enter it: ", console.strong(f"crossbuild root shell {name}"))


@root.command(name="list")
@json_option
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the roots of this host."""
    from crossbuild.machines.named_roots import list_roots

    roots = list_roots(_site(session))
    if as_json:
        console.print_json(roots)
        return
    console.table(
        ("NAME", "ARCH", "SYSTEM", "PATH"),
        [(found.name, found.arch or "unknown", found.title, str(found.path)) for found in roots],
    )


@root.command(context_settings=PASS_THROUGH)
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@pass_session
def run(session: Session, name: str, command: tuple[str, ...]) -> None:
    """Run COMMAND in the root NAME; its output and exit status pass through."""
    # click stops reading options at NAME, and so leaves the separator that users may put behind it.
    _enter(session, name, command[1:] if command[0] == "--" else command)


@root.command()
@click.argument("name")
@pass_session
def shell(session: Session, name: str) -> None:
    """Open an interactive shell in the root NAME."""
    _enter(session, name, ())


@root.command()
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove the root NAME."""
    from crossbuild.host.namespace import become_root
    from crossbuild.machines.named_roots import remove_root

    site = _site(session)
    become_root(site)
    remove_root(site, name, console.note)
    console.note(f"Removed {name}.")


def _enter(session: Session, name: str, command: tuple[str, ...]) -> None:
    from crossbuild.host.namespace import become_root
    from crossbuild.machines.named_roots import enter, find_root

    site = _site(session)
    found = find_root(site, name)
    become_root(site)
    status = enter(found, command)
    # As a shell reports a program that a signal ended.
    sys.exit(status if status >= 0 else 128 - status)


def _site(session: Session) -> Site:
    from crossbuild.config.site import load_site

    return load_site(session.config)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
