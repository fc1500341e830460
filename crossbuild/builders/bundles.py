"""A builder in one file, for a host that reaches nothing (docs/reference/bundle.md).

A bundle is a tar of plain members: the builder's files, its native twin if it has one, and at the end a JSON
document with the builder's record and the checksum of every other member.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from crossbuild import __version__
from crossbuild.builders import store
from crossbuild.errors import ArtifactError, CrossbuildError, UsageError
from crossbuild.model.builder import Builder

FORMAT = 1
DOCUMENT, FILES, TWIN = "bundle.json", "root.tar", "twin.tar"
LONGEST = 16 << 20
"""Bytes of a document, which is read into memory."""
READ = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a bundle says of itself."""

    path: Path
    builder: Builder
    """As it was saved, without snapshots."""
    twin_format: int
    """Of its twin (`crossbuild.pipeline.acceleration.FORMAT`), 0 without one."""
    checksums: Mapping[str, str]
    """sha256 of each member but the document."""


def require_place(path: Path) -> None:
    """Raise UsageError where something is called *path* already, StorageError where nothing can be."""
    if os.path.lexists(path):
        raise _taken(path)
    with store.storing(path), tempfile.TemporaryFile(dir=path.parent):
        pass


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} is there already.", resolution="Choose another name, or remove it.")


def write(path: Path, builder: Builder, members: Mapping[str, Path], twin_format: int) -> str:
    """Write the bundle *path* of the files *members*, whole or not at all; return its sha256.

    Raises UsageError where something has that name by now, StorageError where it cannot be written.
    """
    with store.storing(path), _appearing(path) as scratch:
        with tarfile.open(scratch, "w") as archive:
            checksums = {name: _add(archive, name, member) for name, member in members.items()}
            document = {
                "format": FORMAT,
                "crossbuild": __version__,
                "builder": json.loads(store.render(builder)),
                "twin_format": twin_format,
                "sha256": checksums,
            }
            content = (json.dumps(document, indent=2) + "\n").encode("ascii")
            archive.addfile(_header(DOCUMENT, len(content)), io.BytesIO(content))
        with scratch.open("rb") as written:
            os.fsync(written.fileno())
            return hashlib.file_digest(written, "sha256").hexdigest()


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Yield a new file that becomes *path* if the block succeeds, and is gone otherwise."""
    # Only its owner may read it: it holds all of the builder's files, /etc/shadow among them.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    scratch = Path(name)
    try:
        yield scratch
        _give_name(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def _give_name(scratch: Path, path: Path) -> None:
    try:
        path.hardlink_to(scratch)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError:
        # A file system without hard links, such as a memory stick's.
        scratch.rename(path)


def read(path: Path) -> Bundle:
    """Return what the bundle *path* says of itself; raise ArtifactError for anything that is none."""
    with _opened(path) as archive:
        value = json.loads(_member(archive, DOCUMENT).read(LONGEST))
        if value["format"] != FORMAT:
            raise ArtifactError(
                f"{path} was written by another crossbuild.",
                details=f"Its format is {value['format']}, of crossbuild {value['crossbuild']}.",
                resolution="Load it with that version of crossbuild.",
            )
        return Bundle(
            path=path,
            builder=store.parse(value["builder"]),
            twin_format=int(value["twin_format"]),
            checksums=dict(value["sha256"]),
        )


def extract(bundle: Bundle, name: str, target: Path) -> None:
    """Copy the member *name* to the new file *target*; raise ArtifactError where it is not what was saved."""
    with _opened(bundle.path) as archive:
        member = _Hashed(_member(archive, name))
        with store.storing(target), target.open("xb") as copy:
            while block := member.read(READ):
                copy.write(block)
        if (found := member.checksum.hexdigest()) != bundle.checksums.get(name):
            raise ArtifactError(
                f"{bundle.path} is damaged.",
                details=f"The sha256 of {name} is {found}, not {bundle.checksums.get(name)}.",
                resolution="Copy it again from where it was saved.",
            )


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.checksum = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Read on."""
        data = self._file.read(size)
        self.checksum.update(data)
        return data


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as file:
        hashed = _Hashed(file)
        archive.addfile(_header(name, path.stat().st_size), cast("IO[bytes]", hashed))
    return hashed.checksum.hexdigest()


def _header(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    # Nothing is ever unpacked by the names in the archive.
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return file


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except CrossbuildError:
        raise
    except (OSError, tarfile.TarError, *store.MALFORMED) as error:
        raise ArtifactError(
            f"{path} is no bundle that crossbuild can read.",
            details=str(error),
            resolution="Give a file that `crossbuild builder save` wrote, whole: compare its sha256.",
        ) from error
