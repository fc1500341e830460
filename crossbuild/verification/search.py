"""Where the dynamic loader looks for a library, as ld.so(8) describes it, inside a root."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from crossbuild.formats.elf import ElfFile
from crossbuild.verification.scan import Scan

_MAX_INCLUDES = 32
"""How deep files of ldconfig may include one another; deeper is a loop."""
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
_LIB = re.compile(r"\$(?:LIB\b|\{LIB\})")
_PLATFORM = re.compile(r"\$(?:PLATFORM\b|\{PLATFORM\})")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An object in the memory of a program that starts."""

    path: PurePosixPath
    """Real."""
    elf: ElfFile
    origin: PurePosixPath
    """$ORIGIN: the folder in which the loader found it."""
    inherited: tuple[PurePosixPath, ...] = ()
    """DT_RPATH folders of the objects that led to it, the nearest first."""


class LibrarySearch:
    """Finds libraries by name; each folder and name is looked up once."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._real: dict[PurePosixPath, PurePosixPath] = {}
        arch = scan.root.arch
        # $LIB is lib64 on Enterprise Linux and SUSE and lib/TRIPLET on Debian, fixed when glibc is compiled.
        self._lib_names = ("lib64", f"lib/{arch.multiarch}", "lib")
        defaults = [f"{prefix}/{name}" for name in self._lib_names for prefix in ("", "/usr")]
        configured = _configured_folders(scan, PurePosixPath("/etc/ld.so.conf"))
        self._system = tuple(dict.fromkeys([*configured, *map(PurePosixPath, defaults)]))
        self._system_real = frozenset(map(scan.real, self._system))

    def is_system_folder(self, folder: PurePosixPath) -> bool:
        """Whether a library in *folder*, a real path, is found by every program."""
        return folder in self._system_real

    def program(self, path: PurePosixPath, elf: ElfFile) -> Loaded:
        """Return the program at *path* as the first object of its process."""
        return Loaded(path=path, elf=elf, origin=path.parent)

    def find(self, name: str, loader: Loaded) -> Loaded | None:
        """Return the library that the loader takes for *name* when *loader* needs it, None if there is none.

        A file for another architecture is passed over, as the loader does.
        """
        if "/" in name:
            expanded = [PurePosixPath(place) for place in self._expanded(name, loader.origin)]
            places = [(place.parent, place.name) for place in expanded]
        else:
            places = [(folder, name) for folder in self._folders(loader)]
        for folder, file_name in places:
            path = self._at(folder, file_name)
            if path is not None and (elf := self._scan.native(path)) is not None:
                return Loaded(path=path, elf=elf, origin=folder, inherited=self._bequest(loader))
        return None

    def _folders(self, loader: Loaded) -> Iterator[PurePosixPath]:
        # DT_RUNPATH switches off every DT_RPATH, that of the objects which led here included.
        if loader.elf.runpath:
            yield from self._expand_all(loader.elf.runpath, loader.origin)
        else:
            yield from self._bequest(loader)
        yield from self._system

    def _bequest(self, loader: Loaded) -> tuple[PurePosixPath, ...]:
        own = () if loader.elf.runpath else tuple(self._expand_all(loader.elf.rpath, loader.origin))
        return tuple(dict.fromkeys((*own, *loader.inherited)))

    def _expand_all(self, folders: Iterable[str], origin: PurePosixPath) -> Iterator[PurePosixPath]:
        for folder in folders:
            yield from map(PurePosixPath, self._expanded(folder, origin))

    def _expanded(self, text: str, origin: PurePosixPath) -> list[str]:
        text = _ORIGIN.sub(lambda _: str(origin), text)
        text = _PLATFORM.sub(self._scan.root.arch.value, text)
        return list(dict.fromkeys(_LIB.sub(name, text) for name in self._lib_names))

    def _at(self, folder: PurePosixPath, name: str) -> PurePosixPath | None:
        """Return the regular file that *name* in *folder* leads to."""
        if folder not in self._real:
            self._real[folder] = self._scan.real(folder)
        path = self._real[folder] / name
        if path in self._scan.links:
            if path not in self._real:
                self._real[path] = self._scan.real(path)
            path = self._real[path]
        return path if path in self._scan.files else None


def _configured_folders(scan: Scan, file: PurePosixPath, depth: int = 0) -> Iterator[PurePosixPath]:
    """Yield the folders that *file*, in the form of ld.so.conf (ldconfig(8)), and what it includes name."""
    real = scan.real(file)
    if real not in scan.files or depth > _MAX_INCLUDES:
        return
    text = (scan.root.path / real.relative_to("/")).read_bytes().decode(errors="surrogateescape")
    for line in text.splitlines():
        words = line.partition("#")[0].replace(",", " ").replace(":", " ").split()
        if words[:1] == ["include"]:
            for pattern in words[1:]:
                for included in _matching(scan, file.parent / pattern):
                    yield from _configured_folders(scan, included, depth + 1)
        elif words[:1] != ["hwcap"]:
            yield from map(PurePosixPath, words)


def _matching(scan: Scan, pattern: PurePosixPath) -> list[PurePosixPath]:
    folder = scan.real(pattern.parent)
    names = {path.name for path in (*scan.files, *scan.links) if path.parent == folder}
    return [folder / name for name in sorted(names) if fnmatchcase(name, pattern.name)]
