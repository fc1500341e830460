"""A tree as an archive: newc by GNU cpio, pax tar by the standard library's headers.

Both are in a fixed order, without anything that differs between two builds of one tree. Sockets are left out:
they belong to a process that no longer runs.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from crossbuild.errors import ArtifactError
from crossbuild.formats.posix_acl import KEYWORDS, acl_text
from crossbuild.host.command import output_of
from crossbuild.host.survey import LABELS, Entry, walk

BLOCK = 512
"""Unit of a tar file (pax(1), "ustar Interchange Format")."""
END = bytes(2 * BLOCK)
READ = 1 << 20

_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}

Links = dict[tuple[int, int], str]
"""Name in the archive of each file with several names, by device and inode."""


def newc(root: Path, listing: Path, *, owner: str | None = None) -> Iterator[bytes]:
    """Yield *root* as a cpio archive; *listing* is a file to write its names to.

    *owner* is the `+UID:+GID` that everything belongs to, by default what it belongs to in *root*.
    Raises CommandFailedError, and StorageError for a tree that cannot be read.
    """
    with listing.open("wb") as names:
        names.writelines(_relative(entry.path) + b"\0" for entry in walk(root) if not _is_socket(entry))
    command = [
        "cpio",
        "--create",
        "--format=newc",
        "--null",  # a name may hold a newline
        "--directory", os.fspath(root),
        "--reproducible",  # numbers for devices and inodes that do not come from this disk
        "--quiet",
        *([f"--owner={owner}"] if owner else []),
    ]  # fmt: skip
    with output_of(command, stdin=listing) as archive:
        while block := archive.read(READ):
            yield block


def pax(root: Path) -> Iterator[bytes]:
    """Yield *root* as a pax tar with extended attributes and access control lists.

    Holes in a file arrive as zeros: where a disk keeps holes differs between two builds.
    Raises ArtifactError for a file that changes meanwhile, StorageError for one that cannot be read.
    """
    links: Links = {}
    for entry in walk(root):
        if not _is_socket(entry):
            member = _member(entry, links)
            yield _header(member)
            if member.size:
                yield from _content(entry, member.size)
    yield END


def pax_size(root: Path) -> int:
    """Return how many bytes `pax` yields for *root*, without reading its files."""
    links: Links = {}
    members = (_member(entry, links) for entry in walk(root) if not _is_socket(entry))
    return sum(len(_header(member)) + member.size + len(padding(member.size)) for member in members) + len(
        END
    )


def plain_header(name: str, size: int, epoch: int) -> bytes:
    """Return the header of an ordinary file called *name* in a pax tar."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, epoch, 0o644
    return _header(member)


def padding(size: int) -> bytes:
    """Return the zeros that follow *size* bytes of content."""
    return bytes(-size % BLOCK)


def _relative(path: bytes) -> bytes:
    return b"." if path == b"/" else b"." + path


def _is_socket(entry: Entry) -> bool:
    return stat.S_ISSOCK(entry.status.st_mode)


def _member(entry: Entry, links: Links) -> tarfile.TarInfo:
    status = entry.status
    member = tarfile.TarInfo(_text(_relative(entry.path)))
    member.type = _TYPES[stat.S_IFMT(status.st_mode)]
    member.mode = stat.S_IMODE(status.st_mode)
    member.uid, member.gid = status.st_uid, status.st_gid
    member.mtime = int(status.st_mtime)
    member.devmajor, member.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    member.pax_headers = _attributes(entry)
    if member.issym():
        # pathlib would tidy the target up, and a link must arrive as it is.
        member.linkname = _text(os.readlink(entry.real))  # noqa: PTH115
    elif member.isreg():
        member.size = status.st_size
        if status.st_nlink > 1:
            first = links.setdefault((status.st_dev, status.st_ino), member.name)
            if first != member.name:
                member.type, member.linkname, member.size = tarfile.LNKTYPE, first, 0
    return member


def _attributes(entry: Entry) -> dict[str, str]:
    headers = {}
    for name in sorted(set(os.listxattr(entry.real, follow_symlinks=False)) - LABELS):
        value = os.getxattr(entry.real, name, follow_symlinks=False)
        # GNU tar's way to keep `=` out of a keyword, which ends there (pax(1), "pax Extended Header").
        keyword = name.replace("%", "%25").replace("=", "%3D")
        headers[f"SCHILY.xattr.{keyword}"] = _text(value)
        if name in KEYWORDS:
            headers[KEYWORDS[name]] = acl_text(value)
    return headers


def _header(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _text(value: bytes) -> str:
    """Return *value* so that `_header` gives it back byte by byte (PEP 383)."""
    return value.decode("utf-8", "surrogateescape")


def _content(entry: Entry, size: int) -> Iterator[bytes]:
    missing = size
    with open(entry.real, "rb") as file:  # noqa: PTH123 - a path of bytes, which pathlib does not take
        while missing and (block := file.read(min(READ, missing))):
            missing -= len(block)
            yield block
        if missing or file.read(1):
            raise ArtifactError(
                "The root changed while it was packed.",
                details=f"{entry.name} was {size} bytes long when packing began.",
                resolution="Let nothing run in the root while it is packed, and build again.",
            )
    yield padding(size)
