"""Files of an artifact set, hashed in the pass that writes them."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from crossbuild.errors import StorageError
from crossbuild.host.digests import DigestWriter, file_digests
from crossbuild.model.artifact import Artifact

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextlib.contextmanager
def storing(place: Path) -> Iterator[None]:
    """Raise StorageError naming *place* for any OSError of the block."""
    try:
        yield
    except OSError as error:
        raise _storage_error(error, place) from error


def disk_full(place: Path, details: str) -> StorageError:
    """Return the error of a program that found no more space in *place*."""
    return StorageError(
        f"The file system of {place} is full.",
        details=details,
        resolution="Free some space there and run it again; nothing that existed before was changed.",
    )


def write_blocks(blocks: Iterable[bytes], directory: Path, path: str) -> Artifact:
    """Write *blocks* as the new file *path* below *directory*; raise StorageError."""
    writer = DigestWriter()
    target = directory / path
    with storing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for block in blocks:
                file.write(block)
                writer.update(block)
    return Artifact(path=PurePosixPath(path), digests=writer.digests)


def write_text(text: str, directory: Path, path: str) -> Artifact:
    """Write *text* in UTF-8; what `os.fsdecode` could not decode becomes the bytes that it was."""
    return write_blocks([text.encode("utf-8", "surrogateescape")], directory, path)


def write_json(value: object, directory: Path, path: str) -> Artifact:
    """Write *value* as indented JSON whose keys keep their order."""
    return write_text(f"{json.dumps(value, indent=2)}\n", directory, path)


def json_text(path: PurePosixPath) -> str:
    r"""Return *path* with bytes that are not UTF-8 as `\xNN`: JSON has no other word for them."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def adopt(directory: Path, path: str) -> Artifact:
    """Read the file that another program wrote at *path* below *directory*, once; raise StorageError."""
    with storing(directory / path):
        return Artifact(path=PurePosixPath(path), digests=file_digests(directory / path))


def _storage_error(error: OSError, place: Path) -> StorageError:
    details = f"{error.filename or place}: {error.strerror}"
    if error.errno in _FULL:
        return disk_full(place, details)
    return StorageError(
        f"Making {place} failed.",
        details=details,
        resolution="Check that you may read and write there, and that the disk is healthy.",
    )
