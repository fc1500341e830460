"""`contents.json`: what fills an image, by folder and by package (docs/reference/artifact-set.md).

Measured in the root itself, so that it is the same whatever the set's archives are, and packed or not.
"""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.artifacts.storage import json_text, write_json
from crossbuild.host import rooted
from crossbuild.host.survey import walk
from crossbuild.model.artifact import Artifact

NAME = "contents.json"
SMALLEST = 10_000
"""A folder that holds less than one of so many parts of the image is counted with its parent."""
LARGEST = 25
"""How many of the largest files are listed one by one."""


@dataclass(frozen=True, slots=True, order=True)
class _File:
    size: int
    path: PurePosixPath
    package: str
    """Empty for what no package brought."""


@dataclass(slots=True)
class _Sum:
    size: int = 0
    files: int = 0

    def add(self, size: int, files: int) -> None:
        """Count so much more."""
        self.size += size
        self.files += files


def write_contents(root: Path, owners: Mapping[str, str], directory: Path) -> Artifact:
    """Write `contents.json` of the tree *root* into *directory*; raise StorageError.

    *owners* names the package of each path that one brought, as the package itself spells the path.
    """
    return write_json(contents(root, owners), directory, NAME)


def contents(root: Path, owners: Mapping[str, str]) -> dict[str, object]:
    """Return all of `contents.json`; the sizes of folders, and those of packages, sum up to `size`."""
    files = list(_files(root, _by_real_path(root, owners)))
    whole, unowned = _Sum(), _Sum()
    packages: dict[str, _Sum] = {}
    for file in files:
        whole.add(file.size, 1)
        (packages.setdefault(file.package, _Sum()) if file.package else unowned).add(file.size, 1)
    return {
        "size": whole.size,
        "files": whole.files,
        "folders": [
            {"path": json_text(path), "size": held.size, "files": held.files}
            for path, held in sorted(_folders(files, whole.size // SMALLEST).items())
        ],
        "packages": [
            {"name": name, "size": held.size, "files": held.files} for name, held in sorted(packages.items())
        ],
        "unowned": {"size": unowned.size, "files": unowned.files},
        "largest": [
            {"path": json_text(file.path), "size": file.size, "package": file.package or None}
            for file in heapq.nsmallest(LARGEST, files, key=lambda file: (-file.size, file.path))
        ],
    }


def _files(root: Path, owners: Mapping[str, str]) -> Iterator[_File]:
    """Yield the regular files of *root*, one with several names under the first of them."""
    seen: set[tuple[int, int]] = set()
    for entry in walk(root):
        inode = (entry.status.st_dev, entry.status.st_ino)
        if not stat.S_ISREG(entry.status.st_mode) or inode in seen:
            continue
        if entry.status.st_nlink > 1:
            seen.add(inode)
        path = entry.name
        yield _File(entry.status.st_size, path, owners.get(str(path), ""))


def _by_real_path(root: Path, owners: Mapping[str, str]) -> dict[str, str]:
    """Return *owners* with paths as a walk finds them: many packages say /lib where that is a link."""
    real: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, package in owners.items():
        folder, _, name = path.rpartition("/")
        if folder not in real:
            real[folder] = os.fspath(rooted.inside(root, rooted.resolve(root, folder))).rstrip("/")
        found[f"{real[folder]}/{name}"] = package
    return found


def _folders(files: list[_File], smallest: int) -> dict[PurePosixPath, _Sum]:
    """Return what lies in each folder itself, and in those below it that are too small to stand alone."""
    held: dict[PurePosixPath, _Sum] = {}
    for file in files:
        held.setdefault(file.path.parent, _Sum()).add(file.size, 1)
    whole: dict[PurePosixPath, int] = {}
    for path, own in held.items():
        for folder in (path, *path.parents):
            whole[folder] = whole.get(folder, 0) + own.size
    folded: dict[PurePosixPath, _Sum] = {}
    for path, own in held.items():
        place = next(
            (folder for folder in (path, *path.parents) if whole[folder] >= smallest), PurePosixPath("/")
        )
        folded.setdefault(place, _Sum()).add(own.size, own.files)
    return folded
