"""How a root comes home: the tree that it grew from, once for many builds, and what is new in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossbuild.executors import changes, trees
from crossbuild.host.locks import NoticeSink
from crossbuild.jobs.speaking import Worker
from crossbuild.model.job import Outcome, Parcel
from crossbuild.pipeline.shelf import Ahead, Shelf


@dataclass(frozen=True, kw_only=True)
class Homecoming:
    """The way of the root of *job* from *worker* to this host."""

    job: str
    worker: Worker
    shelf: Shelf
    ahead: Ahead
    """Works on the same folder as `fetch`, if at all."""
    notice: NoticeSink
    on_bytes: Callable[[int, int], None]
    """Hears how many bytes of how many have arrived."""

    def fetch(self, outcome: Outcome, folder: Path) -> Path:
        """Return the root of *outcome*, below *folder*.

        Raises ArtifactError for what does not arrive as it was packed, NodeUnreachableError, StorageError.
        """
        root, new = folder / "root", folder / "changes.tar"
        assert outcome.changes
        if outcome.tree is None or not self.ahead.brought(outcome.tree.sha256):
            self.ahead.settle()
            shutil.rmtree(root, ignore_errors=True)
            self._begin(outcome.tree, root)
        self._receive(outcome.changes, new)
        if outcome.tree is None:
            trees.unpack(new, root)
        else:
            changes.apply(outcome.removed, new, root, folder / "changes")
        return root

    def _begin(self, tree: Parcel | None, root: Path) -> None:
        """Make *root* what the host began with; *tree* is fetched unless an earlier build had it."""
        if tree is None:
            root.mkdir()
            return
        with self.shelf.filling(tree.sha256) as archive:
            self._receive(tree, archive)
        self.shelf.unpack(tree.sha256, root)

    def _receive(self, parcel: Parcel, target: Path) -> None:
        def arrived(done: int) -> None:
            self.on_bytes(done, parcel.size)

        self.worker.fetch(self.job, parcel, target, arrived, self.notice)
