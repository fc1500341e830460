"""What can be done with builders: records, locks and automatic snapshots around a backend.

Runs that change packages come one after the other; others, and shells, run side by side. A run that changes
packages first takes a snapshot, unless a shell is open in the builder.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from crossbuild.builders import store
from crossbuild.builders.backends import backend_of
from crossbuild.builders.contract import Backend, Command
from crossbuild.errors import UsageError
from crossbuild.host.locks import NoticeSink, held, held_if_free
from crossbuild.model.builder import Builder, Change, Snapshot
from crossbuild.model.site import Site
from crossbuild.model.spec import is_name

BEFORE = "before"
"""The snapshot that is taken before packages change."""
RUNS, SHELLS = "runs", "shells"


@dataclass(frozen=True, kw_only=True)
class Builders:
    """The builders of one site."""

    site: Site
    notice: NoticeSink
    """Hears what a person should know: that another run is waited for, that one was killed."""

    def list(self) -> tuple[Builder, ...]:
        """Return all builders, sorted by name."""
        return tuple(self.find(name) for name in store.builder_names(self.site))

    def find(self, name: str) -> Builder:
        """Return the builder *name*; raise UsageError where there is none."""
        builder = store.load(self.site, name)
        if store.interrupted_runs(self.site, name):
            builder = store.update(self.site, name, lambda found: replace(found, interrupted=True))
            self.notice(
                f"A run that may have changed packages of the builder `{name}` was killed. "
                f"`crossbuild builder rollback {name}` takes it back to the state before."
            )
        return builder

    def run(self, name: str, command: Command, *, changes: bool) -> int:
        """Run *command* in the builder *name*; return its status, minus a signal's number.

        *changes* says that it changes packages; without words, *command* is a shell, which may.
        """
        builder = self.find(name)
        backend = backend_of(builder, self.site)
        if not command.argv:
            return self._shell(builder, backend, command)
        if changes:
            return self._change(builder, backend, command)
        with self._lock(name, RUNS, shared=True):
            return backend.run(builder, command)

    def snapshot(self, name: str, snapshot: str = "") -> str:
        """Keep the present state of the builder *name* as *snapshot*, by default named by the time."""
        taken = _now()
        snapshot = snapshot or taken.replace(":", "").replace("-", "").lower()
        if not is_name(snapshot) or snapshot == BEFORE:
            raise UsageError(f"`{snapshot}` cannot be the name of a snapshot.")
        with self.alone(name):
            builder = self.find(name)
            if any(known.name == snapshot for known in builder.snapshots):
                raise UsageError(f"The builder `{name}` has a snapshot `{snapshot}` already.")
            self._take(builder, snapshot, automatic=False)
        return snapshot

    def rollback(self, name: str, snapshot: str = "") -> Snapshot:
        """Take the builder *name* back to *snapshot*, by default the newest; later ones are dropped."""
        with self.alone(name):
            builder = self.find(name)
            chosen = _chosen(builder, snapshot)
            backend_of(builder, self.site).rollback(builder, chosen.name)
            kept = builder.snapshots[: builder.snapshots.index(chosen) + 1]
            changes = builder.changes[: chosen.changes]
            store.update(
                self.site,
                name,
                lambda found: replace(found, snapshots=kept, changes=changes, interrupted=False),
            )
        return chosen

    def forget(self, name: str, snapshot: str) -> None:
        """Drop *snapshot* of the builder *name*; its present state does not change."""
        with self.alone(name):
            builder = self.find(name)
            self._forget(builder, _chosen(builder, snapshot))

    def remove(self, name: str) -> None:
        """Remove the builder *name* with its snapshots, waiting for whatever runs in it."""
        builder = store.load(self.site, name)
        with self.alone(name):
            backend = backend_of(builder, self.site)
            for doomed in (self.coming(builder), builder):
                backend.remove(doomed)
                store.discard(self.site, doomed.name)

    def coming(self, builder: Builder) -> Builder:
        """Return what takes the place of *builder* when it is rebuilt, and is there while that goes on."""
        name = store.rebuilding_name(builder.name)
        return replace(builder, name=name, changes=(), snapshots=(), interrupted=False)

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep every other run and shell out of the builder *name*, waiting for those that are in it."""
        with self._lock(name, RUNS), self._lock(name, SHELLS):
            yield

    def _shell(self, builder: Builder, backend: Backend, command: Command) -> int:
        name = builder.name
        with self._free(name, RUNS) as idle, self._free(name, SHELLS) as lonely:
            if idle and lonely:
                builder = self._before(builder)
        with self._lock(name, SHELLS, shared=True), store.changing(self.site, name):
            return backend.run(builder, command)

    def _change(self, builder: Builder, backend: Backend, command: Command) -> int:
        name = builder.name
        with self._lock(name, RUNS):
            builder = store.load(self.site, name)
            with self._free(name, SHELLS) as lonely:
                if lonely:
                    builder = self._before(builder)
                else:
                    self.notice(f"A shell is open in the builder `{name}`: no snapshot is taken.")
            with store.changing(self.site, name):
                status = backend.run(builder, command)
            change = Change(argv=command.argv, status=status)
            store.update(
                self.site,
                name,
                lambda found: replace(found, changes=(*found.changes, change), interrupted=False),
            )
        return status

    def _before(self, builder: Builder) -> Builder:
        """Take the automatic snapshot; what was interrupted can still be taken back to the former one."""
        if builder.interrupted:
            return builder
        for former in builder.snapshots:
            if former.automatic:
                builder = self._forget(builder, former)
        return self._take(builder, BEFORE, automatic=True)

    def _take(self, builder: Builder, name: str, *, automatic: bool) -> Builder:
        backend_of(builder, self.site).snapshot(builder, name)
        taken = Snapshot(name=name, taken=_now(), automatic=automatic, changes=len(builder.changes))
        return self._update(builder, lambda found: replace(found, snapshots=(*found.snapshots, taken)))

    def _forget(self, builder: Builder, snapshot: Snapshot) -> Builder:
        kept = tuple(other for other in builder.snapshots if other != snapshot)
        # First the record: it never names a snapshot that is gone.
        builder = self._update(builder, lambda found: replace(found, snapshots=kept))
        backend_of(builder, self.site).forget(builder, snapshot.name)
        return builder

    def _update(self, builder: Builder, change: Callable[[Builder], Builder]) -> Builder:
        return store.update(self.site, builder.name, change)

    def _lock(self, name: str, what: str, *, shared: bool = False) -> contextlib.AbstractContextManager[None]:
        users = {RUNS: "Another run", SHELLS: "A shell"}
        told = f"{users[what]} is using the builder `{name}`; waiting for it to end."
        path = store.places(self.site, name).lock(what)
        return held(path, shared=shared, waiting=lambda: self.notice(told))

    def _free(self, name: str, what: str) -> contextlib.AbstractContextManager[bool]:
        return held_if_free(store.places(self.site, name).lock(what))


def _chosen(builder: Builder, name: str) -> Snapshot:
    found = [snapshot for snapshot in builder.snapshots if name in {"", snapshot.name}]
    if not found:
        known = ", ".join(snapshot.name for snapshot in builder.snapshots)
        raise UsageError(
            f"The builder `{builder.name}` has no snapshot{f' `{name}`' if name else ''}.",
            details=f"It has: {known or 'none'}.",
        )
    return found[-1]


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
