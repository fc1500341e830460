"""`crossbuild builder`: persistent aarch64 environments, made, listed, taken back and removed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from crossbuild.cli import console
from crossbuild.cli.export import export
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, EngineKind, Mount
from crossbuild.model.site import Site

if TYPE_CHECKING:
    from crossbuild.builders.contract import RootBase
    from crossbuild.builders.service import Builders

AUTO = "auto"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def builder() -> None:
    """Make, take back and remove builders: aarch64 systems that stay."""


builder.add_command(export)


@builder.command()
@click.argument("name", default="default")
@click.option("--from-root", metavar="ROOT", help="Make it of a copy of this root.")
@click.option("--distro", default="debian", show_default=True)
@click.option("--release", default="12", show_default=True)
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Install it too; repeatable.")
@click.option(
    "--engine",
    type=click.Choice([AUTO, *(kind.value for kind in EngineKind)]),
    default=AUTO,
    show_default=True,
    help="What holds it: a container engine, or crossbuild's own sandbox.",
)
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    metavar="FOLDER:PLACE[:ro]",
    help="Show this folder of the host at PLACE in it; repeatable.",
)
@click.option("--emulator-only", is_flag=True, help="Run every program of it in qemu: slower, same result.")
@json_option
@pass_session
def create(
    session: Session,
    *,
    name: str,
    from_root: str | None,
    distro: str,
    release: str,
    packages: tuple[str, ...],
    engine: str,
    mounts: tuple[str, ...],
    emulator_only: bool,
    as_json: bool,
) -> None:
    """Make the builder NAME, by default `default`.

    Without --from-root crossbuild makes its base of the distribution's packages.
    """
    from crossbuild.builders.choosing import choose_engine
    from crossbuild.builders.creation import create_builder, refuse_existing, standard_mounts
    from crossbuild.host.engines import find_engines

    private = os.geteuid() != 0
    chosen = choose_engine(None if engine == AUTO else EngineKind(engine), find_engines(), private=private)
    own_mounts = tuple(_mount(text) for text in mounts)
    site, _ = _builders(session)
    refuse_existing(site, name)
    console.note(f"Engine: {chosen.kind}, since {chosen.reason}.")
    if from_root:
        base, described = _named_root(site, from_root), f"root {from_root}"
    else:
        document: dict[str, object] = {
            "name": name, "distro": distro, "release": release, "kernel": False, "packages": [*packages],
        }  # fmt: skip
        base, described = _new_root(document, site, as_json=as_json, emulator_only=emulator_only), ""
    made = Builder(
        name=name,
        engine=chosen.kind,
        reason=chosen.reason,
        base=described or f"{distro} {release}",
        arch=Architecture.AARCH64,
        mounts=(*standard_mounts(site), *own_mounts),
    )
    if emulator_only:
        create_builder(site, made, base)
    else:
        _create_accelerated(site, made, base)
    if as_json:
        console.print_json_line(made)
    else:
        flag = "" if name == "default" else f" --builder {name}"
        console.note("Open it: ", console.strong(f"crossbuild shell{flag}"))


@builder.command(name="list")
@json_option
@pass_session
def list_(session: Session, *, as_json: bool) -> None:
    """List the builders of this host."""
    _, builders = _builders(session)
    found = builders.list()
    if as_json:
        console.print_json(found)
        return
    console.table(
        ("NAME", "ENGINE", "ARCH", "BASE", "CHANGES", "SNAPSHOTS"),
        [
            (one.name, one.engine, one.arch, one.base, str(len(one.changes)), str(len(one.snapshots)))
            for one in found
        ],
        right={4, 5},
    )


@builder.command()
@click.argument("name", default="default")
@json_option
@pass_session
def show(session: Session, *, name: str, as_json: bool) -> None:
    """Show what the builder NAME was made of, what changed it, and its snapshots."""
    import shlex

    _, builders = _builders(session)
    found = builders.find(name)
    if as_json:
        console.print_json(found)
        return
    console.line(console.strong(found.name), f": {found.arch}, {found.base}")
    console.line(f"engine: {found.engine}, since {found.reason}")
    for mount in found.mounts:
        console.line(f"mount: {mount.source} at {mount.target}{', read-only' if mount.read_only else ''}")
    for change in found.changes:
        status = f" (status {change.status})" if change.status else ""
        console.line(f"change: {shlex.join(change.argv)}{status}")
    for snapshot in found.snapshots:
        console.line(f"snapshot: {snapshot.name}, {snapshot.taken}{', automatic' * snapshot.automatic}")
    if found.interrupted:
        console.line(console.warning("A run that may have changed packages was killed."))


@builder.command()
@click.argument("name")
@click.argument("snapshot", default="")
@pass_session
def snapshot(session: Session, *, name: str, snapshot: str) -> None:
    """Keep the present state of the builder NAME as SNAPSHOT.

    Without SNAPSHOT, the time names it.
    """
    _, builders = _builders(session)
    console.line(builders.snapshot(name, snapshot))


@builder.command()
@click.argument("name")
@click.argument("snapshot", default="")
@pass_session
def rollback(session: Session, *, name: str, snapshot: str) -> None:
    """Take the builder NAME back to SNAPSHOT, by default its newest one.

    All later changes and snapshots are dropped; what lies in mounts stays as it is.
    """
    _, builders = _builders(session)
    chosen = builders.rollback(name, snapshot)
    console.note(f"{name} is as it was at {chosen.taken} ({chosen.name}).")


@builder.command()
@click.argument("name")
@click.argument("snapshot")
@pass_session
def forget(session: Session, *, name: str, snapshot: str) -> None:
    """Drop SNAPSHOT of the builder NAME, whose present state stays."""
    _, builders = _builders(session)
    builders.forget(name, snapshot)
    console.note(f"Dropped {snapshot}.")


@builder.command()
@click.argument("name")
@pass_session
def remove(session: Session, *, name: str) -> None:
    """Remove the builder NAME with its snapshots; what lies in mounts stays."""
    _, builders = _builders(session)
    builders.remove(name)
    console.note(f"Removed {name}.")


def _builders(session: Session) -> tuple[Site, Builders]:
    from crossbuild.builders.service import Builders
    from crossbuild.config.site import load_site
    from crossbuild.host.namespace import become_root

    site = load_site(session.config)
    become_root(site)
    return site, Builders(site=site, notice=console.note)


def _named_root(site: Site, name: str) -> RootBase:
    from crossbuild.builders.contract import RootBase
    from crossbuild.machines.named_roots import find_root

    return RootBase(path=find_root(site, name).path, consumed=False)


def _new_root(document: dict[str, object], site: Site, *, as_json: bool, emulator_only: bool) -> RootBase:
    from crossbuild.builders.contract import RootBase
    from crossbuild.cli.progress import progress_for
    from crossbuild.config.spec import spec_from
    from crossbuild.pipeline.building import create_root

    spec = spec_from(document, Path("the command line"), site)
    # On the disk of builders, where the tree becomes one by rename.
    scratch = dataclasses.replace(site, prefix=site.state / "builders/.new")
    with progress_for(json=as_json) as on_event:
        path = create_root(spec, scratch, on_event=on_event, replace=True, emulator_only=emulator_only)
    return RootBase(path=path, consumed=True)


def _create_accelerated(site: Site, made: Builder, base: RootBase) -> None:
    from crossbuild.builders.creation import create_builder
    from crossbuild.builders.store import places
    from crossbuild.pipeline.acceleration import RootPrograms, accelerate_builder

    # Read now: the backend may move the tree to where only it finds it.
    programs = RootPrograms.of(base.path)
    create_builder(site, made, base)
    accelerate_builder(programs, site, places(site, made.name).accelerate, console.note)


def _mount(text: str) -> Mount:
    words = text.split(":")
    read_only = words[2:] == ["ro"]
    inside = PurePosixPath(words[1]) if len(words) > 1 else PurePosixPath()
    if (
        len(words) - read_only != 2
        or not inside.is_absolute()
        or ".." in inside.parts
        or inside == PurePosixPath("/")
    ):
        raise click.BadParameter(f"`{text}` is not FOLDER:PLACE or FOLDER:PLACE:ro.", param_hint="--mount")
    source = Path(words[0])
    if not source.is_absolute() or not source.exists():
        raise click.BadParameter(f"`{source}` is no folder of this host.", param_hint="--mount")
    return Mount(source=source, target=inside, read_only=read_only)
