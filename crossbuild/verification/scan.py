"""One walk through a root that gathers what all checks look at."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import PurePosixPath

from crossbuild.errors import StorageError
from crossbuild.formats.elf import DamagedElfError, ElfFile, ElfHeader, read_elf
from crossbuild.host.rooted import inside, resolve
from crossbuild.host.survey import walk
from crossbuild.model.artifact import Kernel
from crossbuild.model.root import Root
from crossbuild.verification import zstd
from crossbuild.verification.heads import HEAD_SIZE, PACKED_MODULES, header_of

DEBUG = PurePosixPath("/usr/lib/debug")
"""Separate debug files keep the headers of their program, but nothing of what these point to."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What lies in a root; every path is absolute inside it and real, that is without a link on its way."""

    root: Root
    kernel: Kernel | None
    files: Mapping[PurePosixPath, os.stat_result]
    """Regular files."""
    links: frozenset[PurePosixPath]
    headers: Mapping[PurePosixPath, ElfHeader]
    """Of all ELF files, packed kernel modules among them."""
    objects: Mapping[PurePosixPath, ElfFile]
    """What the loader reads of the ELF files that it could be given."""
    damaged: Mapping[PurePosixPath, str]
    """ELF files that cannot be read, with the reason."""
    trusted: tuple[PurePosixPath, ...]
    """Kernel modules into which nobody could look."""

    def native(self, path: PurePosixPath) -> ElfFile | None:
        """Return the ELF file at *path* if it is one of the root's architecture."""
        elf = self.objects.get(path)
        return elf if elf is not None and elf.header.is_for(self.root.arch) else None

    def is_executable(self, path: PurePosixPath) -> bool:
        """Whether *path* is a regular file that somebody may execute."""
        return path in self.files and bool(self.files[path].st_mode & 0o111)

    def real(self, path: PurePosixPath | str) -> PurePosixPath:
        """Return where the links on the way to *path* lead inside the root; a loop of links leads nowhere."""
        try:
            return inside(self.root.path, resolve(self.root.path, path))
        except OSError:
            return PurePosixPath(path)


def scan_root(root: Root, kernel: Kernel | None) -> Scan:
    """Read every ELF file of *root* as far as needed; raise StorageError for what cannot be read."""
    entries = [(entry.name, entry) for entry in walk(root.path)]
    files = {name: entry.status for name, entry in entries if stat.S_ISREG(entry.status.st_mode)}
    reader = _Reader()
    for name, entry in entries:
        if name in files:
            reader.read(name, entry.real)
    modules = {root.path / path.relative_to("/"): path for path in files if path.name.endswith(zstd.SUFFIX)}
    heads = zstd.unpacked_heads(modules)
    for place, head in heads.items():
        reader.add_packed(modules[place], head)
    return Scan(
        root=root,
        kernel=kernel,
        files=files,
        links=frozenset(name for name, entry in entries if stat.S_ISLNK(entry.status.st_mode)),
        headers=reader.headers,
        objects=reader.objects,
        damaged=reader.damaged,
        trusted=tuple(path for place, path in modules.items() if place not in heads),
    )


class _Reader:
    """Reads one file after the other and keeps what it learns."""

    def __init__(self) -> None:
        self.headers: dict[PurePosixPath, ElfHeader] = {}
        self.objects: dict[PurePosixPath, ElfFile] = {}
        self.damaged: dict[PurePosixPath, str] = {}

    def read(self, path: PurePosixPath, real: bytes) -> None:
        """Read *path*, which lies at *real* on this host."""
        try:
            # Unbuffered: most files are no ELF files, and of those only the first bytes are of interest.
            with FileIO(real) as file:
                if path.name.endswith(PACKED_MODULES):
                    self.add_packed(path, file.read(HEAD_SIZE))
                elif DEBUG in path.parents:
                    self._add(path, header_of(path.name, file.read(HEAD_SIZE)))
                elif elf := read_elf(file):
                    self._add(path, elf.header)
                    self.objects[path] = elf
        except DamagedElfError as error:
            self.damaged[path] = str(error)
        except OSError as error:
            raise StorageError(
                f"{path} in the root cannot be read.",
                details=str(error),
                resolution="Run the command as the user who owns the root, and check the disk.",
            ) from error

    def add_packed(self, path: PurePosixPath, head: bytes) -> None:
        """Add a packed kernel module that, unpacked or not, begins with *head*."""
        try:
            header = header_of(path.name, head)
        except DamagedElfError as error:
            self.damaged[path] = str(error)
            return
        if header is None:
            self.damaged[path] = "what is packed in it is no ELF file"
        self._add(path, header)

    def _add(self, path: PurePosixPath, header: ElfHeader | None) -> None:
        if header is not None:
            self.headers[path] = header
