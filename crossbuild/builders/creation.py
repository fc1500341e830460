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
        with store.storing(place.folder):
            place.folder.mkdir(parents=True, exist_ok=True)
            for mount in builder.mounts:
                if not mount.source.exists():
                    mount.source.mkdir(parents=True)
        require_capabilities(place.folder)
        backend_of(builder, site).create(builder, base)
        # The record comes last: with it, there is a builder.
        store.save(site, builder)


def refuse_existing(site: Site, name: str) -> None:
    """Raise UsageError if there is a builder *name*, or if none can have that name."""
    if store.places(site, name).record.exists():
        raise UsageError(
            f"There is a builder `{name}` already.",
            resolution=f"Choose another name, or remove it with `crossbuild builder remove {name}`.",
        )


def standard_mounts(site: Site) -> tuple[Mount, ...]:
    """Return what every builder shows: the exported tree, and where roots lie."""
    exported = site.prefix / "opt/ohpc/pub"
    return (
        Mount(source=exported, target=PurePosixPath("/opt/ohpc/pub"), read_only=False),
        Mount(source=site.roots, target=PurePosixPath("/var/chroots"), read_only=False),
    )
