"""Makes the root of one order, and packs for the way back what is not in a tree that is kept anyway."""

from __future__ import annotations

import json
import platform
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from crossbuild.distros import catalog
from crossbuild.distros.session import Session
from crossbuild.distros.sessions import open_session
from crossbuild.errors import BuildFailedError, CommandFailedError, CrossbuildError, HostNotReadyError
from crossbuild.executors import trees
from crossbuild.executors.carrying import Carrier
from crossbuild.executors.changes import NOTHING, Glance, changes_since, glance
from crossbuild.executors.layer_cache import LayerCache
from crossbuild.executors.local import LocalExecutor
from crossbuild.host.checks.storage import require_capabilities
from crossbuild.host.digests import sha256_of
from crossbuild.host.programs import HostPrograms
from crossbuild.host.timings import Timings
from crossbuild.model import job as names
from crossbuild.model.codec import encode
from crossbuild.model.events import Event
from crossbuild.model.job import Ending, Outcome, Parcel, WorkOrder
from crossbuild.model.plan import Layer
from crossbuild.pipeline.failures import as_error
from crossbuild.pipeline.inventory import INVENTORIES
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.phases import HANDED_BACK
from crossbuild.worker.folder import CancelledError, JobFolder, failed


def work(folder: JobFolder, jobs: Path) -> None:
    """Do the work of *folder* and write down how it ended; nothing else is left of it.

    Who is ended by a workload manager says nothing: he may be started again, from the beginning.
    """
    try:
        outcome = _made(folder, jobs)
        folder.conclude(outcome)
    except CancelledError:
        if folder.space:
            return
        outcome = Outcome(ending=Ending.CANCELLED)
    except CrossbuildError as error:
        outcome = failed(error)
    except OSError as error:
        outcome = failed(as_error(error))
    finally:
        # Before a failure is written down: on a full disk there is no room for that either.
        shutil.rmtree(folder.scratch, ignore_errors=True)
        folder.handed.unlink(missing_ok=True)
    if outcome.ending is not Ending.DONE:
        folder.tree.unlink(missing_ok=True)
        folder.changes.unlink(missing_ok=True)
        folder.conclude(outcome)


def _made(folder: JobFolder, jobs: Path) -> Outcome:
    order = folder.order()
    with folder.events.open("a", encoding="ascii", buffering=1) as events:

        def on_event(event: Event) -> None:
            events.write(json.dumps(encode(event)) + "\n")

        log = folder.path / "log"
        with log.open("w", encoding="utf-8") as lines:
            timings = Timings(jobs / names.CACHE / "timings.json")
            narrator = Narrator(order.spec.name, on_event, timings, lines, log)
            narrator.begin((*((layer.key, layer.title, 1.0) for layer in order.layers), HANDED_BACK))
            _require_fit(order)
            return _outcome(order, folder, jobs, narrator)


def _require_fit(order: WorkOrder) -> None:
    if platform.machine() != order.spec.arch:
        raise HostNotReadyError(
            f"The node is {platform.machine()}, and the image is for {order.spec.arch}.",
            resolution="Add the node with the architecture that it has.",
        )
    if time.time() < order.epoch:
        now, newest = (
            datetime.fromtimestamp(moment, UTC).isoformat(sep=" ", timespec="minutes")
            for moment in (time.time(), order.epoch)
        )
        raise HostNotReadyError(
            "The node's clock is wrong.",
            details=f"It says {now} UTC, but the package sources were published at {newest} UTC: "
            "files of the image would be older than they may be.",
            resolution="Set the node's clock, for example with `timedatectl set-ntp true`.",
        )


def _outcome(order: WorkOrder, folder: JobFolder, jobs: Path, narrator: Narrator) -> Outcome:
    root, scratch = folder.scratch / "root", folder.scratch / "build"
    (scratch / "scratch").mkdir(parents=True)
    require_capabilities(folder.scratch)
    session = open_session(order.spec, folder.scratch / "cache", narrator.notice, HostPrograms())
    cache = LayerCache(jobs / names.CACHE / "layers", narrator.notice)
    try:
        if folder.handed.is_file():
            _take_over(folder, session)
            session.stage(scratch, root)
        elif not any(cache.has(layer) for layer in order.layers):
            raise BuildFailedError(
                "The node no longer has the tree that this build begins with.",
                resolution="Run it again: everything will be handed over.",
            )
        importer = partial(_import, folder.scratch / "handed")
        executor = LocalExecutor(order.epoch, root=root, work=scratch, import_base=importer)
        start = _Start(root=root, cache=cache, folder=folder)
        carrier = Carrier(session=session, cache=cache, teller=narrator, on_kept=start.note)
        carrier.carry_out(order.layers, executor)
    except CommandFailedError as error:
        raise session.explain(error) from error
    with narrator.phase(HANDED_BACK[0]):
        packages = INVENTORIES[catalog.lookup(order.spec.distro, order.spec.release).family](root)
        changes = changes_since(start.glance, root)
        trees.pack_some(root, changes.present, folder.changes)
        return Outcome(
            ending=Ending.DONE,
            tree=_parcel(folder.tree) if folder.tree.is_file() else None,
            changes=_parcel(folder.changes),
            removed=changes.removed,
            packages=packages,
        )


@dataclass(kw_only=True)
class _Start:
    """Where the way back begins: the last of the trees that were kept, or nothing."""

    root: Path
    cache: LayerCache
    folder: JobFolder
    glance: Glance = NOTHING

    def note(self, layer: Layer) -> None:
        """Take the root for what the tree after *layer* is."""
        self.cache.lend(layer, self.folder.tree)
        self.glance = glance(self.root)


def _parcel(path: Path) -> Parcel:
    return Parcel(name=path.name, sha256=sha256_of(path), size=path.stat().st_size)


def _import(handed: Path, root: Path) -> None:
    """Make the new folder *root* the base of the spec, which was *handed* over."""
    root.mkdir()
    trees.unpack(handed / names.BASE, root)


def _take_over(folder: JobFolder, session: Session) -> None:
    handed = folder.scratch / "handed"
    handed.mkdir()
    trees.unpack(folder.handed, handed)
    session.take_over(handed)
