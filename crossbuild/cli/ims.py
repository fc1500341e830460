"""`crossbuild ims`: what stands around registering in IMS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from crossbuild.cli.ims_files import load_artifacts, write_boot_files, write_node_files
from crossbuild.cli.ims_nodes import lock, locks, remote_build_nodes, unlock
from crossbuild.cli.options import Session, json_option, pass_session
from crossbuild.model.architecture import Architecture
from crossbuild.model.ims import RECIPE_DISTRIBUTIONS


@click.group()
def ims() -> None:
    """Look into IMS, and work with what stands around it.

    `crossbuild register ims` registers images. The section `provisioners.ims` of the configuration says
    where the services are.
    """


@ims.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--arch", type=click.Choice([arch.value for arch in Architecture]), help="Only images for this one."
)
@json_option
@pass_session
def images(session: Session, *, ids: tuple[str, ...], arch: str | None, as_json: bool) -> None:
    """List the images of IMS, or those with the ids ID, with the etags of their manifests."""
    from crossbuild.cli import console
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.gateway import Gateway
    from crossbuild.registrars.ims.images import Images
    from crossbuild.registrars.ims.service import access_of

    access = access_of(load_site(session.config))
    # IMS itself has no filter, and passes over one without a word.
    found = Images(Gateway(access), access.api).chosen(ids, arch)
    if as_json:
        console.print_json(found)
        return
    rows = [(one.id, one.name, one.arch, one.created, one.link.etag if one.link else "-") for one in found]
    console.table(("Id", "Name", "Arch", "Created", "Etag"), rows)


@ims.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--name", metavar="NAME", required=True, help="What IMS calls the recipe.")
@click.option(
    "--distribution",
    type=click.Choice(RECIPE_DISTRIBUTIONS),
    required=True,
    help="What the recipe installs; IMS knows no others.",
)
@click.option(
    "--arch",
    type=click.Choice([arch.value for arch in Architecture]),
    default=Architecture.AARCH64.value,
    show_default=True,
    help="What images of the recipe are for.",
)
@click.option(
    "--dkms/--no-dkms",
    default=True,
    show_default=True,
    help="Whether jobs may load kernel modules. For aarch64, IMS lets them in any case.",
)
@click.option(
    "--value", "values", multiple=True, metavar="KEY=VALUE", help="For its template files; repeatable."
)
@json_option
@pass_session
def upload_recipe(
    session: Session,
    *,
    source: Path,
    name: str,
    distribution: str,
    arch: str,
    dkms: bool,
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Upload the kiwi-ng recipe SOURCE to IMS: a folder with config.xml, or a gzipped tar archive of one.

    What the first steps of a job would refuse is refused here. Everything is read back, and what failed
    leaves nothing behind.
    """
    from crossbuild.cli import console
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.gateway import Gateway
    from crossbuild.registrars.ims.recipes import Recipe, Recipes
    from crossbuild.registrars.ims.service import access_of, open_bucket

    access = access_of(load_site(session.config))
    recipe = Recipe(
        name=name,
        source=source,
        distribution=distribution,
        arch=Architecture(arch),
        dkms=dkms,
        values=tuple(_pairs(values).items()),
    )
    bucket = open_bucket(access, access.recipe_bucket)
    made = Recipes(Gateway(access), access.api, bucket).upload(recipe)
    if as_json:
        console.print_json(made)
        return
    dkms_text = "yes" if made.require_dkms else "no"
    console.table(
        ("Id", "Name", "Arch", "DKMS", "Place"), [(made.id, made.name, made.arch, dkms_text, made.link.path)]
    )


def _pairs(values: tuple[str, ...]) -> Mapping[str, str]:
    from crossbuild.errors import UsageError

    pairs = dict(value.split("=", 1) for value in values if "=" in value[1:])
    if len(pairs) != len(values):
        raise UsageError("`--value` takes KEY=VALUE, each key once.", details=" ".join(values))
    return pairs


for command in (remote_build_nodes, lock, unlock, locks, write_boot_files, write_node_files, load_artifacts):
    ims.add_command(command)
