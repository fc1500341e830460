"""Which firmware files a Warewulf 3 bootstrap carries: what patterns name, links and their targets included.

wwbootstrap copies regular files only, so a driver that asks for a link's name finds nothing.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

from crossbuild.errors import ArtifactError
from crossbuild.host.rooted import resolve

FOLDER = "/lib/firmware"
_COMPRESSED = ("", ".xz", ".zst")
"""Behind the name that a driver asks for (Linux, drivers/base/firmware_loader/main.c)."""

Found = dict[str, str | None]
"""Names below lib/firmware: the target of a link, relative to it, and None for a file."""


def find_firmware(root: Path, patterns: Sequence[str], *, compressed: bool = False) -> Found:
    """Return the files of *root* that one of *patterns* fits; a folder stands for all that is in it.

    With *compressed*, a pattern fits files whose names end in `.xz` or `.zst` as well. Raises ArtifactError
    for a pattern that leads out of lib/firmware, OSError for a chain of links without an end.
    """
    search = _Search(root)
    for pattern in patterns:
        parts = pattern.split("/")
        if pattern.startswith("/") or ".." in parts:
            raise ArtifactError(
                f"The firmware pattern `{pattern}` leads out of lib/firmware.",
                resolution="Write it relative to lib/firmware, as in `mellanox/*`.",
            )
        for suffix in _COMPRESSED if compressed else ("",):
            search.match("", [part for part in parts if part], suffix)
    return dict(sorted(search.found.items()))


def real_path(root: Path, name: str) -> Path:
    """Return where the firmware file *name* of *root* lies on this host."""
    return resolve(root, f"{FOLDER}/{name}")


class _Search:
    """Walks the firmware folder of one root and collects names."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.found: Found = {}

    def match(self, folder: str, parts: Sequence[str], suffix: str) -> None:
        """Collect what the pattern made of *parts* fits below *folder*."""
        last = len(parts) == 1
        pattern = parts[0] + suffix if last else parts[0]
        for name in self._names(folder):
            if fnmatch.fnmatchcase(name, pattern):
                path = posixpath.join(folder, name)
                if last:
                    self._collect(path)
                elif (real := self._follow(path)) is not None:
                    self.match(real, parts[1:], suffix)

    def _collect(self, path: str) -> None:
        if path in self.found:
            return
        target = self._target(path)
        if target is not None:
            self.found[path] = posixpath.relpath(target, posixpath.dirname(path) or ".")
            self._collect(target)
        elif names := self._names(path):
            for name in names:
                self._collect(posixpath.join(path, name))
        elif real_path(self._root, path).is_file():
            self.found[path] = None

    def _follow(self, folder: str) -> str | None:
        """Return the folder behind *folder*, which may be a link that the image then needs too."""
        target = self._target(folder)
        if target is None:
            return folder
        self.found[folder] = posixpath.relpath(target, posixpath.dirname(folder) or ".")
        return target

    def _target(self, path: str) -> str | None:
        """Return what the link *path* points to, None for what is no link or leads elsewhere."""
        place = resolve(self._root, f"{FOLDER}/{path}", last_link=False)
        if not place.is_symlink():
            return None
        target = posixpath.join(FOLDER, posixpath.dirname(path), os.fspath(place.readlink()))
        for home in (f"{FOLDER}/", f"/usr{FOLDER}/"):
            if (tidy := posixpath.normpath(target)).startswith(home):
                return tidy.removeprefix(home)
        # What lies elsewhere becomes a file of its own under the link's name.
        return None

    def _names(self, folder: str) -> list[str]:
        real = real_path(self._root, folder)
        return sorted(entry.name for entry in real.iterdir()) if real.is_dir() else []
