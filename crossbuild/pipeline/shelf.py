"""Trees that other hosts sent, as archives by their SHA-256, safe under several builds at once."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from crossbuild.errors import ArtifactError
from crossbuild.executors import trees
from crossbuild.host.digests import sha256_of
from crossbuild.host.locks import NoticeSink, held, held_if_free, lock_of, locked
from crossbuild.host.workspace import surplus

KEPT = 6
"""How many stay; the one that was used longest ago goes first."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Shelf:
    """Where they are kept."""

    def __init__(self, folder: Path, notice: NoticeSink) -> None:
        """*folder* need not exist; *notice* hears when another build is waited for."""
        self._folder = folder
        self._notice = notice

    def has(self, sha256: str) -> bool:
        """Tell whether that archive, or a part of it, is there."""
        return self._path(sha256).is_file()

    @contextlib.contextmanager
    def filling(self, sha256: str) -> Iterator[Path]:
        """Let the block make that archive whole, with which another process may have begun, or be done."""
        archive = self._path(sha256)
        with locked(archive, "a tree of another host", self._notice):
            yield archive
            os.utime(archive)
        self._prune()

    def unpack(self, sha256: str, root: Path) -> None:
        """Unpack that archive into the new folder *root*; raise ArtifactError where it is not whole."""
        archive = self._path(sha256)
        with held(lock_of(archive), shared=True):
            if not archive.is_file() or sha256_of(archive) != sha256:
                raise ArtifactError(f"{archive} is not whole.", resolution="Run it again.")
            root.mkdir()
            trees.unpack(archive, root)

    def _prune(self) -> None:
        for archive in surplus(self._folder.glob("*.tar"), KEPT):
            with held_if_free(lock_of(archive)) as free:
                if free:
                    archive.unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ArtifactError(f"Another host sent a digest that is none: {sha256!r}.")
        return self._folder / f"{sha256}.tar"


class Ahead:
    """A tree of the shelf that is unpacked while another host works on what grows from it."""

    def __init__(self) -> None:
        self._sha256 = ""
        self._work: Future[None] | None = None

    def begin(self, shelf: Shelf, sha256: str, root: Path) -> None:
        """Unpack into the new folder *root* what the shelf has under *sha256*, if anything."""
        if shelf.has(sha256):
            pool = ThreadPoolExecutor(1)
            self._sha256, self._work = sha256, pool.submit(shelf.unpack, sha256, root)
            pool.shutdown(wait=False)

    def settle(self) -> None:
        """Wait until nobody writes into the folder any more."""
        if self._work:
            self._work.exception()

    def brought(self, sha256: str) -> bool:
        """Wait as `settle` does; tell whether it is that tree which lies in the folder, whole."""
        return self._sha256 == sha256 and self._work is not None and self._work.exception() is None
