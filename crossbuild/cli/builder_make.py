"""`crossbuild builder create` and `rebuild`."""

from __future__ import annotations

from pathlib import Path

import click

from crossbuild.cli import console
from crossbuild.cli.making import (
    emulator_option,
    engine_option,
    entered_site,
    site_and_engine,
    tell_made,
    workshop,
)
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, Mount, Origin, OriginKind

DISTRO, RELEASE = "debian", "12"


@click.command()
@click.argument("name", default="default")
@click.option("--distro", help=f"Make it of this distribution's packages; by default {DISTRO}.")
@click.option("--release", help=f"The distribution's release; of {DISTRO} by default {RELEASE}.")
@click.option("--package", "packages", multiple=True, metavar="NAME", help="Install it too; repeatable.")
@click.option("--from-root", metavar="ROOT", help="Make it of a copy of this root.")
@click.option("--from-image", metavar="IMAGE", help="Make it of an image that the engine has or can pull.")
@click.option(
    "--from-archive",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Make it of a docker-archive, an OCI layout, or a tar of a root.",
)
@click.option("--recipe", metavar="NAME", help="Make it of an image that the engine builds, such as rocky9.")
@engine_option
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    metavar="FOLDER:PLACE[:ro]",
    help="Show this folder of the host at PLACE in it; repeatable.",
)
@emulator_option
@json_option
@pass_session
def create(
    session: Session,
    *,
    name: str,
    distro: str | None,
    release: str | None,
    packages: tuple[str, ...],
    from_root: str | None,
    from_image: str | None,
    from_archive: Path | None,
    recipe: str | None,
    engine: str | None,
    mounts: tuple[str, ...],
    emulator_only: bool,
    as_json: bool,
) -> None:
    """Make the builder NAME, by default `default`.

    Without --from-root and its like, crossbuild makes its base of the distribution's packages.
    """
    from crossbuild.builders.creation import refuse_existing, standard_mounts

    references: dict[OriginKind, str | None] = {
        OriginKind.ROOT: from_root,
        OriginKind.IMAGE: from_image,
        OriginKind.ARCHIVE: str(from_archive.absolute()) if from_archive else None,
        OriginKind.RECIPE: recipe,
    }
    origin = _origin(references, distro, release, packages)
    own_mounts = tuple(_mount(text) for text in mounts)
    site, chosen = site_and_engine(session, engine)
    refuse_existing(site, name)
    console.note(f"Engine: {chosen.kind}, since {chosen.reason}.")
    wanted = Builder(
        name=name,
        engine=chosen.kind,
        reason=chosen.reason,
        origin=origin,
        arch=Architecture.AARCH64,
        mounts=(*standard_mounts(site), *own_mounts),
    )
    with workshop(site, as_json=as_json, emulator_only=emulator_only) as maker:
        made = maker.create(wanted)
    tell_made(made, as_json=as_json)


@click.command()
@click.argument("name", default="default")
@emulator_option
@pass_session
def rebuild(session: Session, *, name: str, emulator_only: bool) -> None:
    """Make the builder NAME anew, with what was installed in it.

    Commands that changed packages are run again in their order. Files that were made otherwise do not come
    along, nor do snapshots. Where a command fails, the builder stays as it is.
    """
    site = entered_site(session)
    with workshop(site, emulator_only=emulator_only) as maker:
        made = maker.rebuild(name)
    tell_made(made, as_json=False)


def _origin(
    references: dict[OriginKind, str | None],
    distro: str | None,
    release: str | None,
    packages: tuple[str, ...],
) -> Origin:
    given = [(kind, text) for kind, text in references.items() if text is not None]
    if len(given) > 1 or (given and (distro or release or packages)):
        raise click.UsageError(
            "A builder is made of one thing: packages, or a root, image, archive or recipe."
        )
    if given:
        return Origin(kind=given[0][0], reference=given[0][1])
    if distro not in {None, DISTRO} and release is None:
        raise click.UsageError(f"Which release of {distro}? Say --release.")
    return Origin(
        kind=OriginKind.PACKAGES, distro=distro or DISTRO, release=release or RELEASE, packages=packages
    )


def _mount(text: str) -> Mount:
    try:
        return Mount.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--mount") from error
