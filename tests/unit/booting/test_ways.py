"""What every way of booting makes sure of, and how archives lie behind one another."""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.booting.ways import startable, the_file, write_initrd
from crossbuild.errors import ArtifactError
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import Artifact, ArtifactSet, Digests
from tests.unit.artifacts.kernels import ARM64_IMAGE, BZIMAGE, VMLINUX, zboot

NO_DIGESTS = Digests(size=0, sha256="", md5="")


def a_set(*paths: str) -> ArtifactSet:
    files = tuple(Artifact(path=PurePosixPath(path), digests=NO_DIGESTS) for path in paths)
    return ArtifactSet(
        directory=Path("/set"), name="node", arch=Architecture.AARCH64, record={}, artifacts=files
    )


def test_the_one_file_that_fits_is_taken() -> None:
    assert the_file(a_set("warewulf3/6.1.wwbs", "warewulf3/node.vnfs"), "warewulf3/*.wwbs") == Path(
        "/set/warewulf3/6.1.wwbs"
    )


@pytest.mark.parametrize("paths", [(), ("warewulf3/6.1.wwbs", "warewulf3/6.2.wwbs")])
def test_none_and_several_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ArtifactError, match=r"(no|several) `warewulf3/\*\.wwbs`"):
        the_file(a_set(*paths), "warewulf3/*.wwbs")


@pytest.mark.parametrize(
    ("kernel", "complaint"),
    [
        pytest.param(BZIMAGE, "for x86_64", id="another machine"),
        pytest.param(zboot(0xAA64), "cannot be unpacked", id="one whose content is damaged"),
        pytest.param(VMLINUX, "not a kernel", id="no kernel at all"),
    ],
)
def test_a_kernel_that_cannot_be_started_is_refused(tmp_path: Path, kernel: bytes, complaint: str) -> None:
    (tmp_path / "kernel").write_bytes(kernel)
    with pytest.raises(ArtifactError, match=complaint):
        startable(tmp_path / "kernel", tmp_path)


def test_a_kernel_for_the_machine_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "kernel").write_bytes(ARM64_IMAGE)
    assert startable(tmp_path / "kernel", tmp_path) == tmp_path / "kernel"


@pytest.mark.parametrize("compression", ["gzip", "zstd22"])
def test_a_kernel_that_unpacks_itself_under_efi_is_unpacked_here(tmp_path: Path, compression: str) -> None:
    (tmp_path / "raw").write_bytes(ARM64_IMAGE)
    capture([compression.removesuffix("22"), "-k", "-q", str(tmp_path / "raw")])
    (packed,) = tmp_path.glob("raw.*")
    program = bytearray(zboot(0xAA64) + packed.read_bytes())
    program[8:16] = struct.pack("<II", len(zboot(0xAA64)), packed.stat().st_size)
    program[0x18 : 0x18 + len(compression)] = compression.encode()
    (tmp_path / "kernel").write_bytes(program)
    assert startable(tmp_path / "kernel", tmp_path).read_bytes() == ARM64_IMAGE


def test_archives_begin_where_the_kernel_looks_for_them(tmp_path: Path) -> None:
    initrd = write_initrd([[b"12345", b"6"], [b"second"]], tmp_path / "initrd")
    assert initrd.read_bytes() == b"123456\0\0second\0\0"
