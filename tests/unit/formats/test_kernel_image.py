"""What a kernel's own bytes say."""

from __future__ import annotations

import gzip
import struct

import pytest

from crossbuild.errors import ArtifactError
from crossbuild.formats.kernel_image import recognise
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import KernelFormat
from tests.unit.artifacts.kernels import ARM64_IMAGE, BZIMAGE, VMLINUX, zboot


@pytest.mark.parametrize(
    ("head", "kind", "arch", "gzipped"),
    [
        pytest.param(
            ARM64_IMAGE, KernelFormat.IMAGE, Architecture.AARCH64, False, id="Image with an EFI stub"
        ),
        pytest.param(
            bytes(2) + ARM64_IMAGE[2:], KernelFormat.IMAGE, Architecture.AARCH64, False, id="Image without"
        ),
        pytest.param(
            gzip.compress(ARM64_IMAGE), KernelFormat.IMAGE, Architecture.AARCH64, True, id="Image in gzip"
        ),
        pytest.param(zboot(0xAA64), KernelFormat.ZBOOT, Architecture.AARCH64, False, id="arm64 zboot"),
        pytest.param(zboot(0x8664), KernelFormat.ZBOOT, Architecture.X86_64, False, id="x86 zboot"),
        pytest.param(BZIMAGE, KernelFormat.BZIMAGE, Architecture.X86_64, False, id="bzImage"),
    ],
)
def test_kernel_is_known_by_its_header(
    head: bytes, kind: KernelFormat, arch: Architecture, gzipped: bool
) -> None:
    found = recognise(head)
    assert (found.format, found.arch, found.gzipped) == (kind, arch, gzipped)
    assert found.evidence


def test_first_bytes_of_a_large_gzip_file_are_enough() -> None:
    noise = struct.pack("<65536I", *(index * 2654435761 % 2**32 for index in range(65536)))
    assert recognise(gzip.compress(ARM64_IMAGE + noise)[:65536]).arch is Architecture.AARCH64


@pytest.mark.parametrize(
    ("head", "words"),
    [
        pytest.param(VMLINUX, "vmlinux", id="ELF"),
        pytest.param(gzip.compress(VMLINUX), "vmlinux", id="ELF in gzip"),
        pytest.param(zboot(0x5064), "4d 5a", id="zboot for RISC-V"),
        pytest.param(b"", "nothing", id="empty"),
        pytest.param(b"\x1f\x8bnonsense", "", id="damaged gzip"),
    ],
)
def test_what_cannot_be_booted_is_refused_with_a_reason(head: bytes, words: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        recognise(head)
    assert words in caught.value.details
    assert caught.value.details
