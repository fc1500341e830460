"""Builders without any engine: a tree of layers, entered through crossbuild's own sandbox."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from crossbuild.builders import layers
from crossbuild.builders.contract import SHELL, Base, Command
from crossbuild.builders.store import Places, places, storing
from crossbuild.errors import ArtifactError
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
        """Make the first layer of *base*, a root or an archive."""
        # Here, since runs start faster without it.
        from crossbuild.builders import planting

        place = self._place(builder)
        with storing(place.tree):
            shutil.rmtree(place.tree, ignore_errors=True)
            scratch = place.tree.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            for folder in (scratch / LAYERS, scratch / USERS, scratch / MOUNTED):
                folder.mkdir(parents=True)
            planting.plant(base, scratch / LAYERS / LOWEST, builder.arch)
            layers.begin(scratch / LAYERS, LOWEST)
            scratch.rename(place.tree)

    def run(self, builder: Builder, command: Command) -> int:
        """Run *command* in the sandbox, in the same mount as all others that run at this time."""
        place = self._place(builder)
        sandbox = Sandbox(
            root=place.tree / MOUNTED,
            pivot=True,
            binds=self._binds(builder, place),
            hostname=str(builder.arch),
            overlay=self._overlay(builder),
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

    def replace(self, builder: Builder, other: Builder) -> None:
        """Exchange the trees, and remove the former one."""
        from crossbuild.host.publish import publish

        self._stack(other)
        publish(self._place(other).tree, self._place(builder).tree)

    def export(self, builder: Builder, target: Path) -> None:
        """Pack the tree, mounted as for a run."""
        from crossbuild.builders import planting

        planting.pack(self._place(builder).tree / MOUNTED, self._overlay(builder), target)

    def fetch(self, builder: Builder, paths: Sequence[PurePosixPath], folder: Path) -> None:
        """Take each file from the newest layer that knows it."""
        with storing(folder):
            layers.fetch(self._place(builder).tree / LAYERS, paths, folder)

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

    def _overlay(self, builder: Builder) -> Overlay:
        place, stack = self._place(builder), self._stack(builder)
        return Overlay(
            folder=place.tree / LAYERS,
            lower=stack.frozen[::-1],
            upper=stack.upper,
            work=stack.work,
            users=place.tree / USERS,
        )

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
        try:
            with storing(folder):
                work(folder)
        except KeyError as error:
            raise ArtifactError(
                f"The files of the builder `{builder.name}` have no snapshot {error}.",
                details="It was made anew, and that was killed before it was noted.",
                resolution=f"`crossbuild builder forget {builder.name} {error.args[0]}` corrects the record.",
            ) from error

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
