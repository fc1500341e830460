"""The members of a packed archive as one forward stream: what each file begins with, and its capabilities."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from crossbuild.formats import cpio
from crossbuild.verification.heads import HEAD_SIZE

_BUFFER = 1 << 20
_GZIP = b"\x1f\x8b"
"""RFC 1952, section 2.3.1."""
_TAR_MAGIC = slice(257, 262)
"""Where `ustar` stands in a tar header (pax(1), "ustar Interchange Format")."""
_CAPABILITY = "SCHILY.xattr.security.capability"
"""The pax keyword under which GNU tar and libarchive keep file capabilities."""

DAMAGE = (OSError, EOFError, ValueError, tarfile.TarError, zlib.error)
"""What reading an archive raises that is damaged or of an unknown format."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A regular file in an archive, or another name of one."""

    path: PurePosixPath
    """Absolute inside the image."""
    head: bytes = b""
    """How its content begins; empty for another name of a file, whose content the archive holds once."""
    capability: bytes = b""
    same_as: PurePosixPath | None = None
    """The member whose content and capabilities this one shares."""


class _Stream(cpio.Readable, Protocol):
    """A stream whose next bytes can be looked at."""

    def peek(self, size: int, /) -> bytes:
        """Return some of the next bytes, *size* of them if the stream's buffer holds as many."""
        ...


def read_packed(archive: Path) -> Iterator[Member]:
    """Yield the files of a newc or tar archive, in gzip or not; raise one of DAMAGE if it is damaged.

    Memory stays at a few MiB whatever the archive's size.
    """
    with archive.open("rb") as file, _unpacked(file) as stream:
        yield from _members(stream)


def read_layers(archive: Path) -> Iterator[Member]:
    """Yield the files in the layers of a docker-archive (the tar of `docker save`), like `read_packed`."""
    with archive.open("rb") as file:
        for _, content in _tar_entries(file):
            if content is not None and content.peek(_TAR_MAGIC.stop)[_TAR_MAGIC] == b"ustar":
                yield from _members(content)


@contextmanager
def _unpacked(file: _Stream) -> Iterator[_Stream]:
    if not file.peek(len(_GZIP)).startswith(_GZIP):
        yield file
        return
    # gzip reads several members one behind the other, which tarfile's own decompression does not.
    with io.BufferedReader(
        cast("io.RawIOBase", gzip.GzipFile(fileobj=cast("BinaryIO", file))), _BUFFER
    ) as stream:
        yield stream


def _members(stream: _Stream) -> Iterator[Member]:
    if stream.peek(len(cpio.MAGICS[0]))[:6] in cpio.MAGICS:
        for member in cpio.read_newc(stream, head=HEAD_SIZE):
            if stat.S_ISREG(member.mode):
                yield Member(path=_inside(member.name), head=member.head)
        return
    for entry, content in _tar_entries(stream):
        path = _inside(entry.name)
        if entry.islnk():
            yield Member(path=path, same_as=_inside(entry.linkname))
        elif content is not None:
            capability = entry.pax_headers.get(_CAPABILITY, "").encode("utf-8", "surrogateescape")
            yield Member(path=path, head=content.read(HEAD_SIZE), capability=capability)


def _tar_entries(stream: cpio.Readable) -> Iterator[tuple[tarfile.TarInfo, _Stream | None]]:
    """Yield each entry with its content if it is a regular file, which must be read before the next entry."""
    source = cast("BinaryIO", stream)
    with tarfile.open(fileobj=source, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        while (entry := archive.next()) is not None:
            content = archive.extractfile(entry) if entry.isreg() else None
            yield entry, cast("_Stream | None", content)
            # Else every header stays in memory until the end, which reading in one pass has no use for.
            archive.members = []  # type: ignore[attr-defined]  # typeshed leaves this list out


def _inside(name: str) -> PurePosixPath:
    return PurePosixPath(os.path.normpath("/" + name))
