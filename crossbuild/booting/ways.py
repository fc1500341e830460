"""What all ways of starting a set have in common."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crossbuild.artifacts.storage import storing
from crossbuild.errors import ArtifactError, CommandFailedError
from crossbuild.formats.kernel_image import HEAD_SIZE, recognise, zboot_payload
from crossbuild.host.archives import newc
from crossbuild.host.command import output_of
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArtifactSet, KernelFormat

ALIGNED = 4
"""Every archive of an initramfs begins at a multiple of this (Linux, buffer-format.rst)."""


@dataclass(frozen=True, kw_only=True)
class BootJob:
    """A set that is to be started, and where that is prepared."""

    artifacts: ArtifactSet
    folder: Path
    """Scratch, empty but for *handed*."""
    handed: Path
    """The folder for the machine's /run."""
    arguments: str
    """Of the kernel, as nodes get them."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is handed to the machine, and what it fetches by itself."""

    kernel: Path
    initrd: Path
    arguments: str
    memory: int
    """Bytes that suffice."""
    files: dict[str, Path] = field(default_factory=dict)
    """By their path on the web server."""


class Way(Protocol):
    """Prepares a boot as one provisioner does it."""

    def __call__(self, job: BootJob) -> Prepared:
        """Make what *job* needs in its folder; raise CrossbuildError for a set that cannot start so."""


def the_file(artifacts: ArtifactSet, pattern: str) -> Path:
    """Return the one file of the set that matches *pattern*; raise ArtifactError."""
    found = [file.path for file in artifacts.artifacts if file.path.match(pattern)]
    if len(found) != 1:
        raise ArtifactError(
            f"The set in {artifacts.directory} has {'several' if found else 'no'} `{pattern}`.",
            resolution="Build the set with this provisioner among its `outputs`.",
        )
    return artifacts.directory / found[0]


def startable(path: Path, folder: Path) -> Path:
    """Return the kernel at *path* in a form that needs no firmware: itself, or a new file in *folder*.

    Raises ArtifactError for a kernel that is not for the machine.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_SIZE)
        image = recognise(head)
        if image.arch is not Architecture.AARCH64:
            raise ArtifactError(f"The kernel is for {image.arch}, not for aarch64.", details=image.evidence)
        if image.format is not KernelFormat.ZBOOT or image.gzipped:
            return path
        payload = zboot_payload(head)
        file.seek(payload.offset)
        packed_kernel, plain = folder / "kernel.packed", folder / "kernel.plain"
        packed_kernel.write_bytes(file.read(payload.size))
    # On a node this is what the EFI program itself does.
    argv = ("gzip", "-dc") if payload.compression == "gzip" else ("zstd", "-dc", "-q")
    try:
        with output_of(argv, stdin=packed_kernel) as content, plain.open("wb") as target:
            shutil.copyfileobj(content, target)
    except CommandFailedError as error:
        raise ArtifactError(
            f"The kernel cannot be unpacked; it is packed by `{payload.compression}`.", details=error.details
        ) from error
    return plain


def write_initrd(parts: Iterable[Iterable[bytes]], target: Path) -> Path:
    """Write archives behind one another as the kernel reads them; return *target*."""
    with storing(target), target.open("wb") as file:
        for part in parts:
            for block in part:
                file.write(block)
            file.write(bytes(-file.tell() % ALIGNED))
    return target


def packed(tree: Path) -> Iterable[bytes]:
    """Return *tree* as an archive whose files belong to root."""
    return newc(tree, tree.with_name(f"{tree.name}.names"), owner="+0:+0")
