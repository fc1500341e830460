"""Makes, keeps and removes the containers and images of builders; all but running commands in them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from crossbuild.builders.contract import ArchiveBase, Base, ImageBase, RootBase, TreeBase
from crossbuild.builders.store import Places, places, storing
from crossbuild.engines import archives, containers, images
from crossbuild.engines.connection import EngineSession, session
from crossbuild.engines.names import base_image, container_name, repository, snapshot_image
from crossbuild.errors import ArtifactError, UsageError
from crossbuild.machines.named_roots import architecture_of
from crossbuild.model.builder import Builder, Mount
from crossbuild.model.site import Site

STATE = "org.crossbuild.state"
"""Label that says which state folder's records know a container."""
ACCELERATED = PurePosixPath("/run/crossbuild")

MUCH = 64_000_000
"""Bytes: about what an engine copies in the time that a new container takes."""
DEEPEST = 100
"""Layers of an image: with 125 Docker makes no container of it, and each snapshot adds one."""


def create(site: Site, builder: Builder, base: Base) -> None:
    """Make the container of *builder* from *base*, whole or not at all.

    Raises UsageError for a container that another site has under that name, ArtifactError for the wrong
    architecture.
    """
    with session(builder.engine) as engine:
        containers.settle(engine, container_name(builder.name))
        _refuse_foreign(site, builder, containers.labels(engine, container_name(builder.name)))
        try:
            _provide(engine, builder, base)
            _install(engine, site, builder)
        except BaseException:
            images.remove(engine, base_image(builder.name))
            raise


def snapshot(site: Site, builder: Builder, name: str) -> None:
    """Keep the present files of the container as the image of *name*.

    An engine copies what changed since the container was made, each time again. So a container that has much
    of that is made anew from the snapshot, unless something runs in it.
    """
    container, tag = container_name(builder.name), snapshot_image(builder.name, name)
    with session(builder.engine) as engine:
        before = images.measure(engine, containers.image_of(engine, container))
        images.commit(engine, container, tag, builder.arch)
        after = images.measure(engine, tag)
        heavy = after.size - before.size > MUCH and after.layers < DEEPEST
        if heavy and not containers.is_busy(engine, container):
            images.tag(engine, tag, base_image(builder.name))
            _install(engine, site, builder)


def rollback(site: Site, builder: Builder, name: str) -> None:
    """Put a new container of the snapshot *name* in the place of the old one, and drop later snapshots."""
    names = [known.name for known in builder.snapshots]
    with session(builder.engine) as engine:
        # Under this second name the image outlives the snapshot.
        images.tag(engine, snapshot_image(builder.name, name), base_image(builder.name))
        _install(engine, site, builder)
        for later in names[names.index(name) + 1 :] if name in names else ():
            images.remove(engine, snapshot_image(builder.name, later))


def forget(builder: Builder, name: str) -> None:
    """Remove the image of the snapshot *name*."""
    with session(builder.engine) as engine:
        images.remove(engine, snapshot_image(builder.name, name))


def replace(site: Site, builder: Builder, other: Builder) -> None:
    """Put a container with the files of *other* in the place of that of *builder*, and remove *other*."""
    with session(builder.engine) as engine:
        images.commit(engine, container_name(other.name), base_image(builder.name), builder.arch)
        _install(engine, site, builder)
        for former in builder.snapshots:
            images.remove(engine, snapshot_image(builder.name, former.name))
    remove(other)


def export(builder: Builder, target: Path) -> None:
    """Write the container's files to *target* as a tar, without what is mounted in it."""
    target.touch(mode=0o600, exist_ok=False)
    with session(builder.engine) as engine, storing(target), target.open("wb") as file:
        file.writelines(containers.export(engine, container_name(builder.name)))


def fetch(builder: Builder, paths: Sequence[PurePosixPath], folder: Path) -> None:
    """Copy those of *paths* that the container has to the same places below *folder*."""
    with session(builder.engine) as engine, storing(folder):
        for path in paths:
            content = containers.read(engine, container_name(builder.name), path)
            if content is not None:
                place = folder / path.relative_to("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)


def remove(builder: Builder) -> None:
    """Remove the container and all images of *builder*; what is gone already is no error."""
    name = container_name(builder.name)
    with session(builder.engine) as engine:
        for doomed in (name + containers.NEXT, name + containers.PREVIOUS, name):
            containers.discard(engine, doomed)
        for tag in images.tags_of(engine, repository(builder.name)):
            images.remove(engine, tag)


def exists(builder: Builder) -> bool:
    """Say whether *builder* has a container, running or not."""
    with session(builder.engine) as engine:
        containers.settle(engine, container_name(builder.name))
        return containers.labels(engine, container_name(builder.name)) is not None


def wake(builder: Builder) -> None:
    """Start engine and container, as far as that is crossbuild's to do; raise ArtifactError without one."""
    name = container_name(builder.name)
    with session(builder.engine) as engine:
        containers.settle(engine, name)
        if not containers.start(engine, name):
            raise ArtifactError(
                f"The container of the builder `{builder.name}` is gone.",
                details=f"{builder.engine.value.title()} has no container {name}.",
                resolution=f"Remove it with `crossbuild builder remove {builder.name}`, and make it again"
                f"{', or roll it back to a snapshot' if builder.snapshots else ''}.",
            )


def _provide(engine: EngineSession, builder: Builder, base: Base) -> None:
    """Let the engine have *base* as the builder's base image."""
    tag = base_image(builder.name)
    match base:
        case RootBase(path=path):
            _require_root_arch(path, builder)
            image = archives.root_image(path, builder.arch)
            images.load(engine, image.archive(tag), tag, builder.arch)
        case ArchiveBase(path=path):
            with archives.image_file(path, builder.arch) as image:
                images.load(engine, image.archive(tag), tag, builder.arch)
        case TreeBase(path=path):
            images.load(engine, archives.tree_image(path, builder.arch).archive(tag), tag, builder.arch)
        case ImageBase(reference=reference):
            images.tag(engine, images.acquire(engine, reference, builder.arch), tag)


def _install(engine: EngineSession, site: Site, builder: Builder) -> None:
    settings = containers.ContainerSettings(
        name=container_name(builder.name),
        image=base_image(builder.name),
        arch=builder.arch,
        mounts=(*builder.mounts, *_acceleration(places(site, builder.name))),
        labels={STATE: os.fspath(site.state)},
    )
    containers.install(engine, settings)


def _refuse_foreign(site: Site, builder: Builder, labels: Mapping[str, str] | None) -> None:
    """Raise UsageError for a container that is not what a killed `create` of this site left behind."""
    if labels is not None and labels.get(STATE) != os.fspath(site.state):
        raise UsageError(
            f"There is a container {container_name(builder.name)} already, which is not of this site.",
            details=f"It belongs to {labels.get(STATE, 'somebody else')}.",
            resolution="Choose another name for the builder, or remove the container.",
        )


def _require_root_arch(path: Path, builder: Builder) -> None:
    """Raise ArtifactError unless the shell of the root *path* is made for the builder's architecture."""
    if (arch := architecture_of(path)) is not builder.arch:
        raise ArtifactError(
            f"{path} is no root for {builder.arch}.",
            details=f"Its /bin/sh is for {arch or 'no architecture that is known, or missing'}.",
            resolution=f"Name a root that was made for {builder.arch}.",
        )


def _acceleration(place: Places) -> tuple[Mount, ...]:
    """Return the mounts of the folder for acceleration, which may be filled while the container runs.

    It is mounted as it is, empty or not: a container gets no further mounts once it is there.
    """
    with storing(place.accelerate):
        place.accelerate.mkdir(parents=True, exist_ok=True)
    # Without a record of starts: nobody would read it, and it would grow for as long as the container lives.
    return (Mount(source=place.accelerate, target=ACCELERATED, read_only=True),)
