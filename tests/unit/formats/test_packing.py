"""How a file is packed shows in its first bytes, whatever it is called."""

import bz2
import gzip
import lzma

import pytest

from crossbuild.formats.packing import HEAD, Packing, decompressor, packing_of


@pytest.mark.parametrize(
    ("content", "program"),
    [
        (gzip.compress(b"x", mtime=0), "gzip"),
        (lzma.compress(b"x"), "xz"),
        (bz2.compress(b"x"), "bzip2"),
        (bytes.fromhex("28b52ffd2001090000780a"), "zstd"),
        (b"ustar", None),
        (b"", None),
    ],
)
def test_a_compressed_file_names_its_program(content: bytes, program: str | None) -> None:
    assert decompressor(content[:HEAD]) == program


@pytest.mark.parametrize(
    ("head", "packing"),
    [
        (b"hsqs\0\0", Packing.SQUASHFS),
        (b"070701000", Packing.CPIO),
        (b"070702000", Packing.CPIO),
        (b"./\0\0", Packing.TAR),
        (b"", Packing.TAR),
    ],
)
def test_what_is_not_compressed_is_one_of_three(head: bytes, packing: Packing) -> None:
    assert packing_of(head) is packing
