"""Trees of earlier builds, kept as archives by the digest of the layer that ends in them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from crossbuild.errors import ArtifactError, CommandFailedError, StorageError
from crossbuild.executors import trees
from crossbuild.host.digests import sha256_of
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.host.workspace import surplus
from crossbuild.model.plan import Layer

KEPT = 12
"""How many trees stay; the one that was used longest ago goes first."""


class LayerCache:
    """The cached trees of this host, safe under several builds at once."""

    def __init__(self, folder: Path, notice: NoticeSink) -> None:
        """*folder* need not exist; *notice* hears when another build is waited for."""
        self._folder = folder
        self._notice = notice

    def has(self, layer: Layer) -> bool:
        """Tell whether the tree after *layer* is kept."""
        return self._path(layer).is_file()

    def reserve(self, layer: Layer) -> bool:
        """Tell whether the tree after *layer* is kept, and let it go last from now on."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self._path(layer))
            return True
        return False

    def sha256(self, layer: Layer) -> str:
        """Return the SHA-256 of the archive with the tree after *layer*."""
        return sha256_of(self._path(layer))

    def lend(self, layer: Layer, place: Path) -> None:
        """Let the archive of the tree after *layer* be found at *place*, too, for as long as it is needed."""
        place.unlink(missing_ok=True)
        place.hardlink_to(self._path(layer))

    def restore(self, layer: Layer, root: Path) -> None:
        """Unpack the tree after *layer* into the new folder *root*; a damaged archive is dropped."""
        archive = self._path(layer)
        root.mkdir()
        try:
            trees.unpack(archive, root)
        except CommandFailedError as error:
            archive.unlink(missing_ok=True)
            raise ArtifactError(
                f"The cached tree of `{layer.title}` could not be unpacked.",
                details=error.details,
                resolution="Run it again: what is damaged was dropped from the cache and is made anew.",
            ) from error
        os.utime(archive)

    def keep(self, layer: Layer, root: Path) -> None:
        """Keep the tree in *root* as the result of *layer*, whole or not at all."""
        target = self._path(layer)
        with locked(target, f"the cache entry of `{layer.title}`", self._notice):
            if target.is_file():
                return
            scratch = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                trees.pack(root, scratch)
                scratch.rename(target)
            except CommandFailedError as error:
                raise StorageError(
                    "The tree could not be kept for later builds.",
                    details=error.details,
                    resolution=f"Free some space below {self._folder}.",
                ) from error
            finally:
                scratch.unlink(missing_ok=True)
        self._prune()

    def _prune(self) -> None:
        for tree in surplus(self._folder.glob("*.tar.zst"), KEPT):
            tree.unlink(missing_ok=True)

    def _path(self, layer: Layer) -> Path:
        return self._folder / name_of(layer)


def name_of(layer: Layer) -> str:
    """Return what the tree after *layer* is called in every cache."""
    return f"{layer.key}-{layer.digest[:24]}.tar.zst"
