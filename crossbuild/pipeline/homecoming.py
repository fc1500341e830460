"""How a root comes home: the tree that it grew from, once for many builds, and what is new in it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ArtifactError
from crossbuild.executors import changes, trees
from crossbuild.host.locks import NoticeSink, held, held_if_free, lock_of, locked
from crossbuild.jobs.speaking import Worker
from crossbuild.model.job import Outcome, Parcel

KEPT = 6
"""How many trees of other hosts stay; the one that was used longest ago goes first."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Homecoming:
    """The way of the root of *job* from *worker* to this host."""

    job: str
    worker: Worker
    trees: Path
    """A folder with the trees that came before, by their digests."""
    notice: NoticeSink
    on_bytes: Callable[[int, int], None]
    """Hears how many bytes of how many have arrived."""

    def fetch(self, outcome: Outcome, folder: Path) -> Path:
        """Return the root of *outcome*, in a new folder below *folder*.

        Raises ArtifactError for what does not arrive as it was packed, NodeUnreachableError, StorageError.
        """
        root, new = folder / "root", folder / "changes.tar"
        root.mkdir()
        assert outcome.changes
        if outcome.tree is None:
            self._receive(outcome.changes, new)
            trees.unpack(new, root)
            return root
        self._tree(outcome.tree, root)
        self._receive(outcome.changes, new)
        changes.apply(outcome.removed, new, root, folder / "changes")
        return root

    def _tree(self, parcel: Parcel, root: Path) -> None:
        """Unpack the tree *parcel*, which is fetched unless an earlier build had it."""
        if not _SHA256.fullmatch(parcel.sha256):
            raise ArtifactError(f"{self.worker.place.name} sent a digest that is none: {parcel.sha256!r}.")
        archive = self.trees / f"{parcel.sha256}.tar"
        with locked(archive, f"the tree of {self.worker.place.name}", self.notice):
            # What another process began is gone on with, and what is whole is only compared.
            self._receive(parcel, archive)
            os.utime(archive)
        with held(lock_of(archive), shared=True):
            trees.unpack(archive, root)
        self._prune()

    def _receive(self, parcel: Parcel, target: Path) -> None:
        def arrived(done: int) -> None:
            self.on_bytes(done, parcel.size)

        self.worker.fetch(self.job, parcel, target, arrived, self.notice)

    def _prune(self) -> None:
        found = sorted(self.trees.glob("*.tar"), key=lambda path: path.stat().st_mtime, reverse=True)
        for tree in found[KEPT:]:
            with held_if_free(lock_of(tree)) as free:
                if free:
                    tree.unlink(missing_ok=True)
