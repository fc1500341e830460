"""Makes builders, makes them again of newer packages, and carries them from one host to another."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from crossbuild.builders import bundles, store
from crossbuild.builders.backends import backend_of
from crossbuild.builders.contract import Backend, Base, Command, RootBase, TreeBase
from crossbuild.builders.creation import (
    create_builder,
    make_tree,
    refuse_existing,
    require_mounts,
    standard_mounts,
)
from crossbuild.builders.service import Builders
from crossbuild.errors import ArtifactError, BuildFailedError
from crossbuild.host.command import capture, without_input
from crossbuild.host.locks import NoticeSink
from crossbuild.host.workspace import workspace
from crossbuild.machines.environment import environment_inside
from crossbuild.model.builder import Builder, Change, EngineChoice, Origin
from crossbuild.model.events import EventSink
from crossbuild.model.plan import ACCELERATE
from crossbuild.model.site import Site
from crossbuild.pipeline.acceleration import (
    FORMAT,
    accelerate_builder,
    put_in_place,
)
from crossbuild.pipeline.bases import BaseMaker
from crossbuild.pipeline.building import quiet
from crossbuild.pipeline.programs import DATABASES, RootPrograms


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
        require_mounts(self.site, wanted)
        with self._base(wanted) as (base, origin):
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
            require_mounts(self.site, former)
            backend, coming = backend_of(former, self.site), builders.coming(former)
            with self._base(former) as (base, origin), self._discarded(backend, coming):
                make_tree(self.site, coming, base)
                self._accelerate(coming)
                changes = self._repeat(backend, coming, former.changes)
                backend.replace(former, coming)
            made = store.update(
                self.site,
                name,
                lambda found: replace(found, origin=origin, changes=changes, snapshots=(), interrupted=False),
            )
            self._accelerate(made)
        return made

    def save(self, name: str, path: Path) -> str:
        """Write the present state of the builder *name* into the file *path*; return its sha256.

        Raises UsageError for a name that is taken, StorageError for a folder that cannot be written.
        """
        bundles.require_place(path)
        builders = Builders(site=self.site, notice=self.notice)
        with builders.alone(name), workspace(self.site.work, f"save-{name}", private=True) as folder:
            builder = builders.find(name)
            members = {bundles.FILES: folder / bundles.FILES}
            backend_of(builder, self.site).export(builder, members[bundles.FILES])
            twin = store.places(self.site, name).accelerate
            if (twin / "table").is_file():
                members[bundles.TWIN] = folder / bundles.TWIN
                members[bundles.TWIN].touch(mode=0o600)
                tar = ["tar", "--create", "--exclude=./count", "--file", os.fspath(members[bundles.TWIN])]
                capture([*tar, "--directory", os.fspath(twin), "."])
            if builder.interrupted:
                self.notice("A run that may have changed packages was killed in it; that state is saved.")
            saved = replace(builder, snapshots=(), interrupted=False)
            return bundles.write(path, saved, members, FORMAT if bundles.TWIN in members else 0)

    def load(self, path: Path, engine: EngineChoice, *, name: str = "", own_mounts: bool = False) -> Builder:
        """Make the builder that the bundle *path* holds, called *name* or as it was called.

        *own_mounts* says whether it shows the folders that it was made with, besides those that every builder
        shows. Raises ArtifactError for a bundle that is damaged or of another architecture.
        """
        bundle = bundles.read(path)
        loaded = self._loaded(bundle.builder, engine, name, own_mounts=own_mounts)
        refuse_existing(self.site, loaded.name)
        require_mounts(self.site, loaded)
        with workspace(self.site.work, "load", private=True) as folder:
            # All of it is checked before any of it is used.
            bundles.extract(bundle, bundles.FILES, folder / bundles.FILES)
            twin = self._twin_of(bundle, folder)
            create_builder(
                self.site,
                loaded,
                TreeBase(path=folder / bundles.FILES),
                furnish=lambda place: put_in_place(twin, place.accelerate) if twin else None,
            )
        return loaded

    def _loaded(self, saved: Builder, engine: EngineChoice, name: str, *, own_mounts: bool) -> Builder:
        standard = standard_mounts(self.site)
        places = {mount.target for mount in standard}
        own = tuple(mount for mount in saved.mounts if mount.target not in places)
        for mount in () if own_mounts else own:
            self.notice(f"Not shown: {mount.source} at {mount.target}; `--with-mounts` shows it here, too.")
        return replace(
            saved,
            name=name or saved.name,
            engine=engine.kind,
            reason=engine.reason,
            mounts=(*standard, *(own if own_mounts else ())),
        )

    @contextlib.contextmanager
    def _base(self, builder: Builder) -> Iterator[tuple[Base, Origin]]:
        maker = BaseMaker(
            site=self.site, notice=self.notice, on_event=self.on_event, emulator_only=self.emulator_only
        )
        base, origin = maker.make(builder)
        try:
            yield base, origin
        finally:
            if isinstance(base, RootBase) and base.consumed:
                # Whoever did not take it itself has copied it.
                shutil.rmtree(base.path, ignore_errors=True)

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
        wanted = tuple(change for change in changes if not change.status)
        for change in wanted:
            line = shlex.join(change.argv)
            self.notice(f"Again: {line}")
            command = Command(
                argv=change.argv,
                environment=environment_inside(),
                terminal=False,
                directory=PurePosixPath("/"),
            )
            with without_input():
                status = backend.run(coming, command)
            if status:
                raise BuildFailedError(
                    f"`{line}` does not work any more.",
                    details=f"It ended with status {status}. The builder is as it was.",
                    resolution="What it said is above. A builder that is made anew can do without it.",
                )
        return wanted

    def _accelerate(self, made: Builder) -> None:
        """Give *made* its native twin, if it is to have one; a former one was for other programs."""
        target = store.places(self.site, made.name).accelerate
        (target / "table").unlink(missing_ok=True)
        if self.emulator_only:
            return
        with workspace(self.site.work, "facts") as folder:
            backend_of(made, self.site).fetch(made, DATABASES, folder)
            programs = RootPrograms.of(folder)
        accelerate_builder(programs, self.site, target, self.notice)

    def _twin_of(self, bundle: bundles.Bundle, folder: Path) -> Path | None:
        """Unpack the twin of *bundle* below *folder*; none where it has none, or another crossbuild's."""
        if not bundle.twin_format:
            return None
        if bundle.twin_format != FORMAT:
            self.notice("Without acceleration: another version of crossbuild made the bundle's twin.")
            return None
        archive, twin = folder / bundles.TWIN, folder / ACCELERATE
        bundles.extract(bundle, bundles.TWIN, archive)
        twin.mkdir()
        capture(["tar", "--extract", "--file", os.fspath(archive), "--directory", os.fspath(twin)])
        if not (twin / "table").is_file() or not (twin / "twin").is_dir():
            raise ArtifactError(f"{bundle.path} is damaged.", details=f"{bundles.TWIN} holds no twin.")
        return twin
