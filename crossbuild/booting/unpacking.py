"""Archives of a set unpacked on this host, to take programs and sizes from.

Nothing of them is executed here. Device nodes stay away: private namespaces cannot make them, and every way
mounts a devtmpfs first.
"""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from crossbuild.errors import ArtifactError, CommandFailedError
from crossbuild.formats.cpio import MAGICS
from crossbuild.host.command import capture

DEVICES = "./dev/*"


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a VNFS or a bootstrap of Warewulf 3 into the new *folder*; return it."""
    folder.mkdir()
    if is_newc(archive):
        _cpio(archive, folder)
    else:
        _tar(archive, folder)
    return folder


def is_newc(archive: Path) -> bool:
    """Say whether a cpio archive is in the gzip file *archive*; otherwise a tar is. Raises ArtifactError."""
    try:
        with gzip.open(archive) as file:
            return file.read(6) in MAGICS
    except (OSError, EOFError) as error:
        raise ArtifactError(f"{archive} cannot be unpacked.", details=str(error)) from error


def layers(archive: Path, folder: Path) -> Path:
    """Unpack the layers of the docker-archive *archive* into the new *folder*; return it.

    Raises ArtifactError.
    """
    folder.mkdir()
    try:
        for name in json.loads(b"".join(_member(archive, "manifest.json")))[0]["Layers"]:
            layer = folder.with_name("layer.tar")
            with layer.open("wb") as file:
                file.writelines(_member(archive, name))
            _tar(layer, folder)
            layer.unlink()
    except (KeyError, IndexError, TypeError, ValueError, tarfile.TarError) as error:
        raise ArtifactError(f"{archive} is no docker-archive.", details=str(error)) from error
    return folder


def _member(archive: Path, name: str) -> Iterator[bytes]:
    with tarfile.open(archive) as outer:
        content = outer.extractfile(name)
        if content is None:
            raise KeyError(name)
        while block := content.read(1 << 20):
            yield block


def _cpio(archive: Path, folder: Path) -> None:
    plain = folder.with_name(f"{folder.name}.cpio")
    with gzip.open(archive) as packed, plain.open("wb") as file:
        while block := packed.read(1 << 20):
            file.write(block)
    _run(
        [
            "cpio",
            "--extract",
            "--make-directories",
            "--preserve-modification-time",
            "--no-absolute-filenames",
            "--quiet",
            "--nonmatching",
            "--file", os.fspath(plain),
            "--directory", os.fspath(folder),
            DEVICES,
            DEVICES.removeprefix("./"),
        ],
        archive,
    )  # fmt: skip
    plain.unlink()


def _tar(archive: Path, folder: Path) -> None:
    _run(
        [
            "tar",
            "--extract",
            "--file", os.fspath(archive),
            "--directory", os.fspath(folder),
            "--preserve-permissions",
            "--numeric-owner",
            "--warning=no-unknown-keyword",
            "--exclude", DEVICES,
        ],
        archive,
    )  # fmt: skip


def _run(argv: list[str], archive: Path) -> None:
    try:
        capture(argv)
    except CommandFailedError as error:
        raise ArtifactError(f"{archive} cannot be unpacked.", details=error.details) from error
