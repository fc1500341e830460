"""What all ways of starting a set have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crossbuild.artifacts.storage import storing
from crossbuild.errors import ArtifactError
from crossbuild.formats.kernel_image import HEAD_SIZE, recognise
from crossbuild.host.archives import newc
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


def require_kernel(path: Path) -> None:
    """Raise ArtifactError unless the machine can be given the kernel at *path*."""
    with path.open("rb") as file:
        image = recognise(file.read(HEAD_SIZE))
    if image.arch is not Architecture.AARCH64:
        raise ArtifactError(f"The kernel is for {image.arch}, not for aarch64.", details=image.evidence)
    if image.format is KernelFormat.ZBOOT:
        raise ArtifactError(
            "The kernel packs itself as an EFI program, which qemu does not start without firmware.",
            details=image.evidence,
            resolution="Boot it on real hardware: `crossbuild boot` cannot tell anything about this image.",
        )


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
