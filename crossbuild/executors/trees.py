"""Trees as archives, with all that a file system holds but for sockets: to be kept, or carried elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from crossbuild.errors import DISK_FULL, CommandFailedError, StorageError
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
    _pack(tree, archive, ["--sort=name", "."])


def pack_some(tree: Path, paths: Sequence[bytes], archive: Path) -> None:
    """Do as `pack` does with *paths* alone, absolute in *tree*; folders without what is in them."""
    names = archive.with_name(f".{archive.name}.names")
    names.write_bytes(b"".join(b".%s\0" % path.rstrip(b"/") for path in paths))
    try:
        _pack(tree, archive, ["--no-recursion", "--null", "--verbatim-files-from", f"--files-from={names}"])
    finally:
        names.unlink()


def unpack(archive: Path, tree: Path) -> None:
    """Unpack *archive*, of `pack`, into the folder *tree*; raise StorageError or CommandFailedError.

    tar(1) sees how it was compressed; it strips a leading `/` from names and refuses those with `..`.
    """
    place = ("--file", str(archive), "--directory", str(tree))
    _tar(["tar", "--extract", *place, "--same-permissions", "--same-owner", *WHOLE], tree)


def _pack(tree: Path, archive: Path, members: Sequence[str]) -> None:
    compress = [COMPRESS] if command.find("zstd") else []
    place = ("--file", os.fspath(archive), "--directory", os.fspath(tree))
    _tar(["tar", "--create", *compress, *place, "--sparse", *WHOLE, *members], archive)


def _tar(argv: list[str], target: Path) -> None:
    try:
        command.capture(argv)
    except CommandFailedError as error:
        if FULL not in error.details:
            raise
        raise StorageError(
            DISK_FULL, details=error.details, resolution=f"Free some space below {target.parent}."
        ) from error
