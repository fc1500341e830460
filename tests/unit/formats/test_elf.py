from __future__ import annotations

import contextlib
import io
import struct
from dataclasses import replace

import pytest

from crossbuild.formats.elf import (
    TYPE_EXECUTABLE,
    TYPE_RELOCATABLE,
    DamagedElfError,
    ElfFile,
    ElfHeader,
    read_elf,
    read_header,
)
from crossbuild.model.architecture import Architecture
from tests.unit.trees import AARCH64, BPF, X86_64, library, make_elf, program

HEADER = ElfHeader(bits=64, big_endian=False, type=3, machine=AARCH64)


def read(content: bytes) -> ElfFile | None:
    return read_elf(io.BytesIO(content))


def damaged(content: bytes) -> str:
    with pytest.raises(DamagedElfError) as caught:
        read(content)
    return str(caught.value)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_class_and_byte_order_is_read(bits: int, big_endian: bool) -> None:
    content = make_elf(
        bits=bits, big_endian=big_endian, interpreter="/lib/ld.so", needed=("libc.so.6", "libm.so.6"),
        soname="libx.so.1", rpath="/a:/b", runpath="$ORIGIN/../lib", pie=True,
    )  # fmt: skip
    assert read(content) == ElfFile(
        header=replace(HEADER, bits=bits, big_endian=big_endian),
        interpreter="/lib/ld.so",
        needed=("libc.so.6", "libm.so.6"),
        soname="libx.so.1",
        rpath=("/a", "/b"),
        runpath=("$ORIGIN/../lib",),
        pie=True,
    )


@pytest.mark.parametrize("content", [b"", b"\x7fEL", b"#!/bin/sh\n", bytes(200), b"MZ" + bytes(100)])
def test_other_files_are_no_elf_files(content: bytes) -> None:
    assert read(content) is None
    assert read_header(content) is None


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        (HEADER, True),
        (replace(HEADER, machine=X86_64), False),
        (replace(HEADER, bits=32), False),
        (replace(HEADER, big_endian=True), False),
    ],
)
def test_only_the_64_bit_little_endian_abi_is_for_aarch64(header: ElfHeader, fits: bool) -> None:
    assert header.is_for(Architecture.AARCH64) is fits


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (AARCH64, "aarch64 (64 bits, little endian)"),
        (BPF, "bpf (64 bits, little endian)"),
        (4711, "machine 4711 (64 bits, little endian)"),
    ],
)
def test_a_machine_has_a_name_for_people(machine: int, name: str) -> None:
    assert replace(HEADER, machine=machine).machine_name == name


@pytest.mark.parametrize(
    ("content", "static"),
    [
        pytest.param(make_elf(kind=TYPE_EXECUTABLE), True, id="at a fixed address"),
        pytest.param(make_elf(pie=True), True, id="at any address"),
        pytest.param(program("libc.so.6"), False, id="dynamic"),
        pytest.param(program(), False, id="with a loader but without libraries"),
        pytest.param(make_elf(), False, id="plugin that needs nothing"),
        pytest.param(library("libx.so.1"), False, id="library"),
        pytest.param(make_elf(kind=TYPE_RELOCATABLE), False, id="kernel module"),
    ],
)
def test_static_programs_are_told_from_the_rest(content: bytes, static: bool) -> None:
    elf = read(content)
    assert elf is not None
    assert elf.is_static is static


def test_every_shorter_beginning_of_a_file_is_damaged() -> None:
    whole = program("libc.so.6", runpath="/x")
    for size in range(4, len(whole)):
        assert damaged(whole[:size])


@pytest.mark.parametrize("byte", range(64))
def test_no_single_wrong_byte_in_the_header_does_harm(byte: int) -> None:
    content = bytearray(program("libc.so.6"))
    for value in (0x00, 0x7F, 0xFF):
        content[byte] = value
        with contextlib.suppress(DamagedElfError):
            read(bytes(content))


class CountingFile(io.BytesIO):
    """Counts the bytes that are read from it."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.total += len(content)
        return content


def test_a_file_that_claims_a_giant_dynamic_section_costs_no_giant_read() -> None:
    content = bytearray(program("libc.so.6") + bytes(1 << 22))
    dynamic = 64 + 2 * 56
    struct.pack_into("<QQQQ", content, dynamic + 8, 0, 0, 0, 1 << 40)
    file = CountingFile(bytes(content))
    with pytest.raises(DamagedElfError):
        read_elf(file)
    assert file.total < 1 << 17


def test_a_name_outside_the_strings_is_damage() -> None:
    content = library("libx.so.1")
    position = content.rindex(struct.pack("<QQ", 14, 1))
    assert "outside" in damaged(content[:position] + struct.pack("<QQ", 14, 9999) + content[position + 16 :])
