"""Builders without any engine: a tree of layers, entered through crossbuild's own sandbox."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from crossbuild.builders import layers
from crossbuild.builders.contract import SHELL, Base, Command, RootBase
from crossbuild.builders.store import Places, places, storing
from crossbuild.errors import ArtifactError, CommandFailedError, StorageError, UsageError
from crossbuild.host.command import capture
from crossbuild.machines.sandbox import Bind, Overlay, Sandbox, SandboxMachine
from crossbuild.model.builder import Builder
from crossbuild.model.site import Site

LAYERS, USERS, MOUNTED = "layers", "users", "mounted"
LOWEST = "0"
ACCELERATED = "run/crossbuild"
COUNT = "count"


class SandboxBackend:
    """Fulfils `crossbuild.builders.contract.Backend`."""

    def __init__(self, site: Site) -> None:
        """*site* says where trees lie."""
        self._site = site

    def create(self, builder: Builder, base: Base) -> None:
        """Make the first layer of *base*, a root."""
        # Here, since runs start faster without it.
        from crossbuild.machines.named_roots import architecture_of

        if not isinstance(base, RootBase):
            raise UsageError(
                "Without a container engine, a builder is made of a root.",
                resolution="Name one with `--from-root`, or name nothing: then crossbuild makes one.",
            )
        if (arch := architecture_of(base.path)) is not builder.arch:
            raise ArtifactError(
                f"{base.path} is no root for {builder.arch}.",
                details=f"Its /bin/sh is for {arch or 'no architecture that is known, or missing'}.",
            )
        place = self._place(builder)
        with storing(place.tree):
            shutil.rmtree(place.tree, ignore_errors=True)
            scratch = place.tree.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            for folder in (scratch / LAYERS, scratch / USERS, scratch / MOUNTED):
                folder.mkdir(parents=True)
            _take(base, scratch / LAYERS / LOWEST)
            layers.begin(scratch / LAYERS, LOWEST)
            scratch.rename(place.tree)

    def run(self, builder: Builder, command: Command) -> int:
        """Run *command* in the sandbox, in the same mount as all others that run at this time."""
        place = self._place(builder)
        stack = self._stack(builder)
        sandbox = Sandbox(
            root=place.tree / MOUNTED,
            pivot=True,
            binds=self._binds(builder, place),
            hostname=str(builder.arch),
            overlay=Overlay(
                folder=place.tree / LAYERS,
                lower=stack.frozen[::-1],
                upper=stack.upper,
                work=stack.work,
                users=place.tree / USERS,
            ),
            terminal=command.terminal,
            directory=os.fspath(command.directory),
        )
        machine = SandboxMachine(sandbox=sandbox, env=command.environment)
        return machine.attach(command.argv or SHELL)

    def snapshot(self, builder: Builder, name: str) -> None:
        """Freeze the newest layer."""
        self._change(builder, lambda folder: layers.snapshot(folder, name))

    def rollback(self, builder: Builder, name: str) -> None:
        """Drop the layers above *name*."""
        self._change(builder, lambda folder: layers.rollback(folder, name))

    def forget(self, builder: Builder, name: str) -> None:
        """Merge the layers that only *name* kept apart."""
        self._change(builder, lambda folder: layers.forget(folder, name))

    def remove(self, builder: Builder) -> None:
        """Remove all layers."""
        place = self._place(builder)
        with storing(place.tree):
            if place.tree.exists():
                doomed = place.tree.with_suffix(".removing")
                shutil.rmtree(doomed, ignore_errors=True)
                place.tree.rename(doomed)
                shutil.rmtree(doomed)

    def exists(self, builder: Builder) -> bool:
        """Say whether there are layers."""
        return (self._place(builder).tree / LAYERS / layers.STACK).is_file()

    def _place(self, builder: Builder) -> Places:
        return places(self._site, builder.name)

    def _stack(self, builder: Builder) -> layers.Stack:
        folder = self._place(builder).tree / LAYERS
        try:
            return layers.read(folder)
        except (OSError, ValueError, KeyError) as error:
            raise ArtifactError(
                f"The files of the builder `{builder.name}` are damaged or gone.",
                details=f"{folder}: {error}",
                resolution=f"Remove it with `crossbuild builder remove {builder.name}`, and make it again.",
            ) from error

    def _change(self, builder: Builder, work: Callable[[Path], None]) -> None:
        self._stack(builder)
        folder = self._place(builder).tree / LAYERS
        with storing(folder):
            work(folder)

    def _binds(self, builder: Builder, place: Places) -> tuple[Bind, ...]:
        root = place.tree / MOUNTED
        mounts = tuple(
            Bind(source=mount.source, target=root / mount.target.relative_to("/"), read_only=mount.read_only)
            for mount in builder.mounts
        )
        if not place.accelerate.is_dir():
            return mounts
        shown, count = root / ACCELERATED, place.accelerate / COUNT
        twin = Bind(source=place.accelerate, target=shown, read_only=True)
        return (*mounts, twin, *((Bind(source=count, target=shown / COUNT),) if count.is_file() else ()))


def _take(base: RootBase, target: Path) -> None:
    if base.consumed:
        shutil.move(base.path, target)
    else:
        _copy(base.path, target)
    # An entry point for the host's name servers: runs that go on side by side need one that stays.
    resolver = target / "etc/resolv.conf"
    if not os.path.lexists(resolver):
        resolver.touch()


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with owners, links, holes, attributes and capabilities, but not what is mounted in it."""
    try:
        capture(["cp", "--archive", "--one-file-system", os.fspath(source), os.fspath(target)])
    except CommandFailedError as error:
        full = os.strerror(errno.ENOSPC) in error.details
        raise StorageError(
            "The disk is full." if full else f"Cannot copy {source}.",
            details=error.details,
            resolution="Free some space and run it again." if full else "",
        ) from error
