"""Kernel modules packed with zstd, which Python before 3.14 cannot unpack: the `zstd` program does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from crossbuild.formats.elf import HEADER_SIZE
from crossbuild.host import command

SUFFIX = ".ko.zst"
_BATCH = 64
"""Modules unpacked at once: few starts of the program, and some MiB of scratch space."""


def unpacked_heads(modules: Iterable[Path]) -> Mapping[Path, bytes]:
    """Return how each of *modules* begins once unpacked, empty for a damaged one.

    Nothing at all is returned where the `zstd` program is not installed.
    """
    zstd = command.find("zstd")
    if zstd is None:
        return {}
    heads: dict[Path, bytes] = {}
    for batch in _batches(modules):
        with TemporaryDirectory(prefix="crossbuild-modules-") as scratch:
            command.capture(
                [
                    zstd,
                    "--decompress",
                    "--quiet",
                    "--output-dir-flat", scratch,
                    "--",
                    *map(os.fspath, batch.values()),
                ],
                check=False,  # a damaged module leaves no file, and the others are unpacked all the same
            )  # fmt: skip
            heads |= {path: _head(Path(scratch, name)) for name, path in batch.items()}
    return heads


def _batches(modules: Iterable[Path]) -> Iterator[Mapping[str, Path]]:
    """Yield modules by the names of their unpacked files, no name twice, because all go to one folder."""
    batch: dict[str, Path] = {}
    for path in modules:
        name = path.name.removesuffix(".zst")
        if name in batch or len(batch) == _BATCH:
            yield batch
            batch = {}
        batch[name] = path
    if batch:
        yield batch


def _head(unpacked: Path) -> bytes:
    try:
        with unpacked.open("rb") as file:
            return file.read(HEADER_SIZE)
    except FileNotFoundError:
        return b""
