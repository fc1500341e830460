"""Makes builders, whole or not at all; apart from what a run needs, which is to start at once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from crossbuild.builders import store
from crossbuild.builders.backends import backend_of
from crossbuild.builders.contract import Base
from crossbuild.errors import UsageError
from crossbuild.host.checks.storage import require_capabilities
from crossbuild.host.locks import held
from crossbuild.model.builder import PUB_INSIDE, ROOTS_INSIDE, Builder, Mount
from crossbuild.model.site import Site


def create_builder(
    site: Site, builder: Builder, base: Base, *, furnish: Callable[[store.Places], None] = lambda _: None
) -> None:
    """Make *builder* of *base*, whole or not at all; *furnish* adds to its places before it can be found.

    Raises UsageError where its name is taken, another CrossbuildError else.
    """
    place = store.places(site, builder.name)
    with held(place.lock("creation")):
        refuse_existing(site, builder.name)
        with contextlib.ExitStack() as undone:
            undone.callback(store.discard, site, builder.name)
            make_tree(site, builder, base)
            undone.callback(backend_of(builder, site).remove, builder)
            furnish(place)
            # The record comes last: with it, there is a builder.
            store.save(site, builder)
            undone.pop_all()


def make_tree(site: Site, builder: Builder, base: Base) -> None:
    """Make all of *builder* but its record; raise UsageError where a folder that it shows is not there."""
    place = store.places(site, builder.name)
    require_mounts(site, builder)
    with store.storing(place.folder):
        for folder in (place.folder, *(mount.source for mount in builder.mounts)):
            if not folder.exists():
                folder.mkdir(parents=True)
    require_capabilities(place.folder)
    backend_of(builder, site).create(builder, base)


def require_mounts(site: Site, builder: Builder) -> None:
    """Raise UsageError where a folder that *builder* is to show is missing, and not crossbuild's to make."""
    missing = [mount.source for mount in builder.mounts if not mount.source.exists()]
    if foreign := [str(folder) for folder in missing if not folder.is_relative_to(site.prefix)]:
        raise UsageError(
            "Folders that the builder is to show are not on this host.",
            details=", ".join(foreign),
            resolution="Make them, or take them out of the command line or the configuration.",
        )


def refuse_existing(site: Site, name: str) -> None:
    """Raise UsageError if there is a builder *name*, or if none can have that name."""
    if name.endswith(store.REBUILDING):
        raise UsageError(
            f"`{name}` cannot be the name of a builder.",
            details=f"What ends in {store.REBUILDING} is about to take a builder's place.",
        )
    if store.places(site, name).record.exists():
        raise UsageError(
            f"There is a builder `{name}` already.",
            resolution=f"Choose another name, or remove it with `crossbuild builder remove {name}`.",
        )


def standard_mounts(site: Site) -> tuple[Mount, ...]:
    """Return what every builder shows: the exported tree, where roots lie, what the configuration names."""
    exported = site.prefix / "opt/ohpc/pub"
    return (
        Mount(source=exported, target=PUB_INSIDE, read_only=False),
        Mount(source=site.roots, target=ROOTS_INSIDE, read_only=False),
        *site.builders.mounts,
    )
