"""Programs of an image, with their loader and libraries, for an initramfs that crossbuild makes.

The image's own programs run on the machine that the image is for, whatever distribution this host has, and
nothing has to be fetched or compiled.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from crossbuild.errors import ArtifactError
from crossbuild.host.rooted import resolve
from crossbuild.model.architecture import Architecture
from crossbuild.model.root import Root
from crossbuild.verification.scan import scan_root
from crossbuild.verification.search import LibrarySearch, Loaded

FOLDERS = ("/usr/bin", "/usr/sbin", "/bin", "/sbin")


def copy_tools(
    root: Path, arch: Architecture, needed: Sequence[str], target: Path, *, wanted: Sequence[str] = ()
) -> None:
    """Put programs of *root* into `bin` of the new tree *target*, and what they need into `lib`.

    Raises ArtifactError naming those of *needed* that *root* does not have; it may lack those *wanted*.
    """
    scan = scan_root(Root(path=root, arch=arch), None)
    search = LibrarySearch(scan)
    _frame(target)
    missing = []
    for name in (*needed, *wanted):
        place = next((path for path in _places(name) if scan.real(path) in scan.files), None)
        if place is None:
            missing += [name] if name in needed else []
            continue
        path = scan.real(place)
        shutil.copy2(root / path.relative_to("/"), target / "bin" / name)
        if elf := scan.native(path):
            for library, file in _needed(search, search.program(path, elf)):
                shutil.copy2(root / file.relative_to("/"), target / "lib" / library)
            if elf.interpreter:
                loader = resolve(root, elf.interpreter)
                shutil.copy2(loader, target / "lib" / PurePosixPath(elf.interpreter).name)
    if missing:
        raise ArtifactError(
            "The image lacks programs that would start it.",
            details=f"Not there: {', '.join(missing)}.",
            resolution="Add the packages that bring them to the spec, or boot it as another provisioner.",
        )


def _frame(target: Path) -> None:
    """Make the folders so that every loader finds its libraries without being told."""
    for name in ("bin", "lib", "dev", "proc", "sys", "etc", "tmp", "run"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for link, place in (("usr", "."), ("sbin", "bin"), ("lib64", "lib")):
        (target / link).symlink_to(place)


def _places(name: str) -> Iterator[PurePosixPath]:
    return (PurePosixPath(folder, name) for folder in FOLDERS)


def _needed(search: LibrarySearch, program: Loaded) -> Iterator[tuple[str, PurePosixPath]]:
    """Yield (name, real path) of every library in the program's process."""
    known: set[str] = set()
    pending = deque([program])
    while pending:
        loader = pending.popleft()
        for name in loader.elf.needed:
            if name not in known and (library := search.find(name, loader)) is not None:
                known.add(name)
                pending.append(library)
                yield PurePosixPath(name).name, library.path
