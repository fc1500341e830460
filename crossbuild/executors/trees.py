"""Trees as archives, with all that a file system holds but for sockets: to be kept, or carried elsewhere."""

from __future__ import annotations

from pathlib import Path

from crossbuild.errors import CommandFailedError, StorageError
from crossbuild.host import command

FULL = "No space left"
COMPRESS = "--use-compress-program=zstd -1 --threads=0"
"""A tree is written once and read a few times: speed counts more than size."""
WHOLE = (
    "--numeric-owner",  # names in the root are not the names on this host
    "--xattrs",
    "--xattrs-include=*",  # file capabilities live in security.capability
    "--acls",
)


def pack(tree: Path, archive: Path) -> None:
    """Put *tree* into the new file *archive*; raise StorageError or CommandFailedError.

    It is compressed where this host has zstd, and else is not.
    """
    compress = [COMPRESS] if command.find("zstd") else []
    place = ("--file", str(archive), "--directory", str(tree))
    _tar(["tar", "--create", *compress, *place, "--sparse", "--sort=name", *WHOLE, "."], archive)


def unpack(archive: Path, tree: Path) -> None:
    """Unpack *archive*, of `pack`, into the folder *tree*; raise StorageError or CommandFailedError.

    tar(1) sees how it was compressed; it strips a leading `/` from names and refuses those with `..`.
    """
    place = ("--file", str(archive), "--directory", str(tree))
    _tar(["tar", "--extract", *place, "--same-permissions", "--same-owner", *WHOLE], tree)


def _tar(argv: list[str], target: Path) -> None:
    try:
        command.capture(argv)
    except CommandFailedError as error:
        if FULL not in error.details:
            raise
        raise StorageError(
            "The disk is full.", details=error.details, resolution=f"Free some space below {target.parent}."
        ) from error
