"""Makes builders, whole or not at all; apart from what a run needs, which is to start at once."""

from __future__ import annotations

from pathlib import PurePosixPath

from crossbuild.builders import store
from crossbuild.builders.backends import backend_of
from crossbuild.builders.contract import Base
from crossbuild.errors import UsageError
from crossbuild.host.checks.storage import require_capabilities
from crossbuild.host.locks import held
from crossbuild.model.builder import Builder, Mount
from crossbuild.model.site import Site


def create_builder(site: Site, builder: Builder, base: Base) -> None:
    """Make *builder* of *base*; raise UsageError where its name is taken, another CrossbuildError else."""
    place = store.places(site, builder.name)
    with held(place.lock("creation")):
        refuse_existing(site, builder.name)
        make_tree(site, builder, base)
        # The record comes last: with it, there is a builder.
        store.save(site, builder)


def make_tree(site: Site, builder: Builder, base: Base) -> None:
    """Make all of *builder* but its record; raise UsageError where a folder that it shows is not there."""
    place = store.places(site, builder.name)
    missing = [mount.source for mount in builder.mounts if not mount.source.exists()]
    if foreign := [str(folder) for folder in missing if not folder.is_relative_to(site.prefix)]:
        raise UsageError(
            "Folders that the builder is to show are not on this host.",
            details=", ".join(foreign),
            resolution="Make them, or take them out of the command line or the configuration.",
        )
    with store.storing(place.folder):
        for folder in (place.folder, *missing):
            folder.mkdir(parents=True, exist_ok=True)
    require_capabilities(place.folder)
    backend_of(builder, site).create(builder, base)


def refuse_existing(site: Site, name: str) -> None:
    """Raise UsageError if there is a builder *name*, or if none can have that name."""
    if store.places(site, name).record.exists():
        raise UsageError(
            f"There is a builder `{name}` already.",
            resolution=f"Choose another name, or remove it with `crossbuild builder remove {name}`.",
        )


def standard_mounts(site: Site) -> tuple[Mount, ...]:
    """Return what every builder shows: the exported tree, where roots lie, what the configuration names."""
    exported = site.prefix / "opt/ohpc/pub"
    return (
        Mount(source=exported, target=PurePosixPath("/opt/ohpc/pub"), read_only=False),
        Mount(source=site.roots, target=PurePosixPath("/var/chroots"), read_only=False),
        *site.builders.mounts,
    )
