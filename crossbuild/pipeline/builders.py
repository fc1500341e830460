"""Makes builders, makes them again of newer packages, and carries them from one host to another."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from crossbuild.builders import bundles, store
from crossbuild.builders.backends import backend_of
from crossbuild.builders.contract import ArchiveBase, Backend, Base, Command
from crossbuild.builders.creation import create_builder, make_tree, refuse_existing, standard_mounts
from crossbuild.builders.service import Builders
from crossbuild.errors import BuildFailedError
from crossbuild.host.command import capture
from crossbuild.host.locks import NoticeSink
from crossbuild.host.workspace import workspace
from crossbuild.machines.environment import environment_inside
from crossbuild.model.builder import Builder, Change, EngineChoice, Origin
from crossbuild.model.events import EventSink
from crossbuild.model.plan import ACCELERATE
from crossbuild.model.site import Site
from crossbuild.pipeline.acceleration import (
    DATABASES,
    FORMAT,
    RootPrograms,
    accelerate_builder,
    put_in_place,
)
from crossbuild.pipeline.bases import BaseMaker
from crossbuild.pipeline.building import quiet

REBUILDING = ".rebuilding"
"""Ends the name of what will take a builder's place."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Makes the builders of one site."""

    site: Site
    notice: NoticeSink
    """Hears what a person should know."""
    on_event: EventSink = quiet
    """Hears how making a root goes on."""
    emulator_only: bool = False

    def create(self, wanted: Builder) -> Builder:
        """Make the builder *wanted* of its origin; raise UsageError where its name is taken."""
        refuse_existing(self.site, wanted.name)
        base, origin = self._base(wanted)
        made = replace(wanted, origin=origin)
        create_builder(self.site, made, base)
        self._accelerate(made)
        return made

    def rebuild(self, name: str) -> Builder:
        """Make the builder *name* of its origin again, and repeat there what changed its packages.

        Until that is done the builder stays as it is, and stays so where anything fails. Its snapshots go.
        Raises BuildFailedError for a change that fails now.
        """
        builders = Builders(site=self.site, notice=self.notice)
        with builders.alone(name):
            former = builders.find(name)
            backend = backend_of(former, self.site)
            coming = replace(former, name=f"{name[:50]}{REBUILDING}", changes=(), snapshots=())
            base, origin = self._base(former)
            with self._discarded(backend, coming):
                make_tree(self.site, coming, base)
                self._accelerate(coming)
                changes = self._repeat(backend, coming, former.changes)
                # The record first: it never names a snapshot that is gone.
                made = store.update(
                    self.site,
                    name,
                    lambda found: replace(
                        found, origin=origin, changes=changes, snapshots=(), interrupted=False
                    ),
                )
                backend.replace(former, coming)
            self._accelerate(made)
        return made

    def save(self, name: str, path: Path) -> str:
        """Write the present state of the builder *name* into the file *path*; return its sha256."""
        bundles.refuse_existing(path)
        builders = Builders(site=self.site, notice=self.notice)
        with builders.alone(name), workspace(self.site.work, f"save-{name}") as folder:
            builder = builders.find(name)
            members = {bundles.FILES: folder / bundles.FILES}
            backend_of(builder, self.site).export(builder, members[bundles.FILES])
            twin = store.places(self.site, name).accelerate
            if (twin / "table").is_file():
                members[bundles.TWIN] = folder / bundles.TWIN
                tar = ["tar", "--create", "--exclude=./count", "--file", os.fspath(members[bundles.TWIN])]
                capture([*tar, "--directory", os.fspath(twin), "."])
            saved = replace(builder, snapshots=(), interrupted=False)
            return bundles.write(path, saved, members, FORMAT if bundles.TWIN in members else 0)

    def load(self, path: Path, engine: EngineChoice, *, name: str = "", own_mounts: bool = True) -> Builder:
        """Make the builder that the bundle *path* holds, called *name* or as it was called.

        *own_mounts* says whether it shows the folders that it was made with, besides those that every builder
        shows. Raises ArtifactError for a bundle that is damaged or of another architecture.
        """
        bundle = bundles.read(path)
        saved = bundle.builder
        standard = standard_mounts(self.site)
        places = {mount.target for mount in standard}
        own = [mount for mount in saved.mounts if own_mounts and mount.target not in places]
        loaded = replace(
            saved, name=name or saved.name, engine=engine.kind, reason=engine.reason, mounts=(*standard, *own)
        )
        refuse_existing(self.site, loaded.name)
        with workspace(self.site.work, "load") as folder:
            bundles.extract(bundle, bundles.FILES, folder / bundles.FILES)
            create_builder(self.site, loaded, ArchiveBase(path=folder / bundles.FILES))
            self._bring_twin(bundle, loaded, folder)
        return loaded

    def _base(self, builder: Builder) -> tuple[Base, Origin]:
        maker = BaseMaker(
            site=self.site, notice=self.notice, on_event=self.on_event, emulator_only=self.emulator_only
        )
        return maker.make(builder)

    @contextlib.contextmanager
    def _discarded(self, backend: Backend, coming: Builder) -> Iterator[None]:
        """Leave nothing of *coming*, neither of a run that was killed nor of this one."""
        backend.remove(coming)
        try:
            yield
        finally:
            backend.remove(coming)
            store.discard(self.site, coming.name)

    def _repeat(self, backend: Backend, coming: Builder, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Run in *coming* each of *changes* that succeeded, and return them."""
        wanted = [change for change in changes if not change.status]
        for change in wanted:
            line = shlex.join(change.argv)
            self.notice(f"Again: {line}")
            command = Command(
                argv=change.argv,
                environment=environment_inside(),
                terminal=False,
                directory=PurePosixPath("/"),
            )
            if status := backend.run(coming, command):
                raise BuildFailedError(
                    f"`{line}` does not work any more.",
                    details=f"It ended with status {status}. The builder is as it was.",
                    resolution="What it said is above. A builder that is made anew can do without it.",
                )
        return tuple(wanted)

    def _accelerate(self, made: Builder) -> None:
        """Give *made* its native twin, if it is to have one."""
        if self.emulator_only:
            return
        with workspace(self.site.work, f"facts-{made.name}") as folder:
            backend_of(made, self.site).fetch(made, DATABASES, folder)
            programs = RootPrograms.of(folder)
        accelerate_builder(programs, self.site, store.places(self.site, made.name).accelerate, self.notice)

    def _bring_twin(self, bundle: bundles.Bundle, loaded: Builder, folder: Path) -> None:
        """Unpack the twin of *bundle* for *loaded*, unless another crossbuild made it."""
        if self.emulator_only or not bundle.twin_format:
            return
        if bundle.twin_format != FORMAT:
            self.notice("Without acceleration: another version of crossbuild made the bundle's twin.")
            return
        bundles.extract(bundle, bundles.TWIN, folder / bundles.TWIN)
        (folder / ACCELERATE).mkdir()
        capture(
            [
                "tar",
                "--extract",
                "--file",
                os.fspath(folder / bundles.TWIN),
                "--directory",
                os.fspath(folder / ACCELERATE),
            ]
        )
        put_in_place(folder / ACCELERATE, store.places(self.site, loaded.name).accelerate)
