"""The files that one root becomes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.model.architecture import Architecture


class OutputKind(enum.StrEnum):
    """A provisioner that artifacts are made for."""

    WAREWULF3 = "warewulf3"
    WAREWULF4 = "warewulf4"
    IMS = "ims"


class KernelFormat(enum.StrEnum):
    """How a kernel file is packed; iPXE and GRUB for arm64 start only `image` and `zboot`."""

    IMAGE = "image"
    """A raw arm64 `Image` (Linux, Documentation/arch/arm64/booting.rst)."""
    ZBOOT = "zboot"
    """An EFI zboot program that unpacks itself (Linux, drivers/firmware/efi/libstub/zboot-header.S)."""
    BZIMAGE = "bzimage"
    """x86 (Linux, Documentation/arch/x86/boot.rst)."""


@dataclass(frozen=True, kw_only=True)
class Digests:
    """Size in bytes and checksums in lower-case hexadecimal of one file."""

    size: int
    sha256: str
    md5: str


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file of an artifact set."""

    path: PurePosixPath
    """Relative to the folder of the set."""
    digests: Digests


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """The kernel that a root brings."""

    version: str
    """The release as the kernel names its module folder, never that of this host."""
    path: PurePosixPath
    """Absolute, inside the root."""
    format: KernelFormat
    """After any gzip around it is taken off."""
    gzipped: bool
    """Whether the file in the root is wrapped in gzip."""


@dataclass(frozen=True, kw_only=True)
class ArchProof:
    """How the architecture of an image was proved from its bytes."""

    elf_files: int
    """How many ELF files were read; every one of them is for *arch*."""
    arch: Architecture
    interpreter: str
    """Path of the dynamic loader inside the root, itself checked."""
    init: str
    """Path that /sbin/init resolves to inside the root."""
    kernel_header: str
    """What the kernel file's header says, empty for a root without a kernel."""


@dataclass(frozen=True, kw_only=True)
class FileCapability:
    """A file capability (`security.capability`) that must arrive on the node."""

    path: PurePosixPath
    value: bytes
    """The attribute's value, a `struct vfs_cap_data`."""


@dataclass(frozen=True, kw_only=True)
class EmulatorCrash:
    """That a build went on with another qemu, since the first one seemed to have crashed."""

    said: str
    """The line that told of it."""
    emulator: str
    second: str
    """Versions of both."""


@dataclass(frozen=True, kw_only=True)
class ArtifactSet:
    """The files that one root became, and the record of how."""

    directory: Path
    name: str
    arch: Architecture
    record: dict[str, object]
    """All of `image.json`, whose schema docs/reference/image-json.md describes."""
    artifacts: tuple[Artifact, ...]
