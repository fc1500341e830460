"""What a kernel file is, read from its own bytes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import KernelFormat

HEAD_SIZE = 1 << 16
"""How many of a file's first bytes `recognise` needs at most."""

GZIP_MAGIC = b"\x1f\x8b"
"""RFC 1952, section 2.3.1: ID1 and ID2."""

_ARM64_MAGIC = (0x38, b"ARM\x64")
"""Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image"."""
_ZBOOT_MAGIC = (0x04, b"zimg")
"""Linux, drivers/firmware/efi/libstub/zboot-header.S, behind the DOS signature `MZ`."""
_X86_MAGIC = (0x202, b"HdrS")
"""Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"."""
_PE_OFFSET = 0x3C
"""PE Format, "MS-DOS Stub": where the offset of the signature stands; the machine follows that."""
_PE_MACHINES = {0xAA64: Architecture.AARCH64, 0x8664: Architecture.X86_64}
"""PE Format, "Machine Types"."""


@dataclass(frozen=True, kw_only=True)
class KernelImage:
    """What the header of a kernel says."""

    format: KernelFormat
    """After any gzip around it is taken off."""
    arch: Architecture
    gzipped: bool
    evidence: str
    """What was found and where, for a person."""


def recognise(head: bytes) -> KernelImage:
    """Return what the kernel beginning with *head* is; raise ArtifactError for what no boot loader starts."""
    gzipped = head.startswith(GZIP_MAGIC)
    image = _unwrapped(head) if gzipped else head
    found = _known(image)
    if found is None:
        raise ArtifactError(
            "This is not a kernel that a boot loader for network boot can start.",
            details=_suspicion(image),
            resolution="Install a kernel package that brings an Image, an EFI zboot program or a bzImage.",
        )
    kind, arch, evidence = found
    return KernelImage(format=kind, arch=arch, gzipped=gzipped, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class Payload:
    """The raw kernel inside an EFI zboot program."""

    offset: int
    size: int
    compression: str
    """As the kernel's build calls it: `gzip`, `zstd22` and others."""


def zboot_payload(head: bytes) -> Payload:
    """Return where the kernel is in the zboot program that begins with *head*.

    Source: Linux, drivers/firmware/efi/libstub/zboot-header.S.
    """
    name = head[0x18:0x38].partition(b"\0")[0].decode("ascii", "replace")
    offset, size = (int.from_bytes(head[place : place + 4], "little") for place in (8, 12))
    return Payload(offset=offset, size=size, compression=name)


def pe_architecture(head: bytes) -> Architecture | None:
    """Return what the EFI program that begins with *head* is for, None for anything else."""
    return _PE_MACHINES.get(_pe_machine(head)) if head.startswith(b"MZ") else None


def _known(image: bytes) -> tuple[KernelFormat, Architecture, str] | None:
    if image.startswith(b"MZ") and _has(image, _ZBOOT_MAGIC):
        machine = _pe_machine(image)
        if machine in _PE_MACHINES:
            evidence = f"EFI zboot (`zimg` at 0x4), PE machine 0x{machine:x}"
            return KernelFormat.ZBOOT, _PE_MACHINES[machine], evidence
        return None
    if _has(image, _ARM64_MAGIC):
        return KernelFormat.IMAGE, Architecture.AARCH64, "arm64 Image (`ARM\\x64` at 0x38)"
    if _has(image, _X86_MAGIC):
        return KernelFormat.BZIMAGE, Architecture.X86_64, "x86 bzImage (`HdrS` at 0x202)"
    return None


def _has(image: bytes, magic: tuple[int, bytes]) -> bool:
    offset, value = magic
    return image[offset : offset + len(value)] == value


def _pe_machine(image: bytes) -> int:
    """Return the machine type of a PE file, 0 (unknown machine) if it has no PE header."""
    start = int.from_bytes(image[_PE_OFFSET : _PE_OFFSET + 4], "little")
    if image[start : start + 4] != b"PE\0\0":
        return 0
    return int.from_bytes(image[start + 4 : start + 6], "little")


def _unwrapped(head: bytes) -> bytes:
    try:
        # 16 asks zlib for a gzip header (zlib manual, inflateInit2).
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(head, HEAD_SIZE)
    except zlib.error as error:
        raise ArtifactError("The kernel's gzip data is damaged.", details=str(error)) from error


def _suspicion(image: bytes) -> str:
    if image.startswith(b"\x7fELF"):
        return "It is an ELF file (vmlinux): iPXE and GRUB for arm64 start neither that nor what is in it."
    return f"It begins with {image[:8].hex(' ') or 'nothing'}."
