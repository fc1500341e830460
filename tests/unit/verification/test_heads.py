from __future__ import annotations

import gzip
import lzma

import pytest

from crossbuild.formats.elf import DamagedElfError
from crossbuild.verification.heads import HEAD_SIZE, header_of
from tests.unit.trees import AARCH64, make_elf

MODULE = make_elf(kind=1) + bytes(range(256)) * 4096


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ko", MODULE),
        ("a.ko.gz", gzip.compress(MODULE)),
        ("a.ko.xz", lzma.compress(MODULE, preset=9)),
        ("a.ko.xz", lzma.compress(MODULE, check=lzma.CHECK_CRC32)),
    ],
)
def test_the_beginning_of_a_packed_module_is_enough(name: str, content: bytes) -> None:
    header = header_of(name, content[:HEAD_SIZE])
    assert header is not None
    assert header.machine == AARCH64


@pytest.mark.parametrize("name", ["a.ko.gz", "a.ko.xz", "a.ko"])
def test_what_holds_no_module_has_no_header(name: str) -> None:
    assert header_of(name, b"nonsense") is None
    assert header_of(name, b"") is None


def test_only_modules_are_unpacked() -> None:
    assert header_of("a.gz", gzip.compress(MODULE)) is None


def test_a_packed_file_of_four_bytes_is_a_damaged_module() -> None:
    with pytest.raises(DamagedElfError):
        header_of("a.ko.gz", gzip.compress(b"\x7fELF"))
