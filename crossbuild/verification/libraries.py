"""The closure of needed libraries: nothing in the root fails to start because a library is missing.

Three rules, because only some files tell by themselves where their libraries come from:
- A program of the system is loaded on paper as ld.so(8) would load it, with every library that its
  libraries need. It starts with no help from outside, so what is not found is missing.
- Any other object (a library, a program in a private folder or below /opt) may be given its libraries by the
  program that loads it, by a script that sets LD_LIBRARY_PATH, or by an environment module. For these a
  needed library is missing only if no file or soname in the whole root bears its name.
- A plugin, which no object needs and no loader finds, is often packed although its library is a mere
  suggestion (iproute2's q_atm.so and libatm.so.1): what it lacks is a note. Plugins that decide whether
  anybody can log in are not spared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import PurePosixPath

from crossbuild.formats.elf import TYPE_SHARED, ElfFile
from crossbuild.verification.findings import Complaint
from crossbuild.verification.scan import Scan
from crossbuild.verification.search import LibrarySearch, Loaded

PROGRAM_FOLDERS = frozenset(map(PurePosixPath, ("/bin", "/sbin", "/usr/bin", "/usr/sbin")))
PROGRAM_TREES = frozenset(map(PurePosixPath, ("/usr/lib/systemd", "/lib/systemd", "/usr/libexec")))
"""Programs of the system lie directly in the former or anywhere below the latter."""
ESSENTIAL_PLUGINS = frozenset({"security"})
"""Names of folders of plugins without which a node is of no use: PAM's."""


def check_libraries(scan: Scan) -> Iterator[Complaint]:
    """Yield each object that needs a library which is missing or only there for another architecture."""
    search, names = LibrarySearch(scan), _Names(scan)
    plugins = _plugins(scan, search)
    for path, elf in _native_objects(scan):
        if elf.interpreter and _is_of_the_system(path):
            yield from _missing_at_start(search, names, search.program(path, elf))
        elif path not in plugins:
            yield from ((path, names.complaint(name)) for name in elf.needed if name not in names)


def crippled_plugins(scan: Scan) -> Iterator[Complaint]:
    """Yield each plugin that needs a library which is nowhere in the root."""
    names = _Names(scan)
    for path in sorted(_plugins(scan, LibrarySearch(scan))):
        needed = scan.objects[path].needed
        yield from ((path, names.complaint(name)) for name in needed if name not in names)


class _Names:
    """Every name by which a library of the root could be found, wherever it lies."""

    def __init__(self, scan: Scan) -> None:
        self._native: dict[str, PurePosixPath] = {}
        self._foreign: dict[str, tuple[PurePosixPath, str]] = {}
        real = {path: scan.real(path) for path in scan.links if ".so" in path.name}
        for path in (*scan.objects, *real):
            target = real.get(path, path)
            if scan.native(target) is not None:
                self._native.setdefault(path.name, path)
                self._native.setdefault(scan.objects[target].soname, path)
            elif target in scan.objects:
                self._foreign.setdefault(path.name, (path, scan.objects[target].header.machine_name))

    def __contains__(self, name: str) -> bool:
        return PurePosixPath(name).name in self._native

    def complaint(self, name: str) -> str:
        """Return what is wrong when *name* is needed and was not found."""
        file_name = PurePosixPath(name).name
        place = self._native.get(file_name)
        if place and place.name != file_name:
            return f"needs {name}, which {place} is, but no link of that name leads there: run ldconfig"
        if place:
            return f"needs {name}, but is not made to look for it where it lies, in {place.parent}"
        if file_name in self._foreign:
            other, machine = self._foreign[file_name]
            return f"needs {name}, but {other} is for {machine}"
        return f"needs {name}, which is nowhere in the root"


def _native_objects(scan: Scan) -> Iterator[tuple[PurePosixPath, ElfFile]]:
    for path in scan.objects:
        if (elf := scan.native(path)) is not None:
            yield path, elf


def _plugins(scan: Scan, search: LibrarySearch) -> frozenset[PurePosixPath]:
    objects = dict(_native_objects(scan))
    wanted = {PurePosixPath(name).name for elf in objects.values() for name in elf.needed}
    return frozenset(
        path
        for path, elf in objects.items()
        if elf.header.type == TYPE_SHARED
        and not (elf.interpreter or wanted.intersection((path.name, elf.soname)))
        and path.parent.name not in ESSENTIAL_PLUGINS
        and not search.is_system_folder(path.parent)
    )


def _is_of_the_system(path: PurePosixPath) -> bool:
    return path.parent in PROGRAM_FOLDERS or not PROGRAM_TREES.isdisjoint(path.parents)


def _missing_at_start(search: LibrarySearch, names: _Names, program: Loaded) -> Iterator[Complaint]:
    known: set[str] = set()
    pending = deque([program])
    while pending:
        loader = pending.popleft()
        for name in loader.elf.needed:
            if name in known:
                continue
            known.add(name)
            library = search.find(name, loader)
            if library is None:
                yield loader.path, names.complaint(name)
            else:
                known.add(library.elf.soname)
                pending.append(library)
