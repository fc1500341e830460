"""What the kernel will map of a joined program, read from its headers."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError, StorageError
from crossbuild.host.interpreter import PT_QEMU, holds_emulator, join, write_interpreter
from tests.unit.acceleration.programs import (
    AARCH64,
    EHDR,
    EXECUTABLE,
    INTERP,
    LOAD,
    POSITION_INDEPENDENT,
    program,
    program_headers,
)

FRONT = program([(0, 0, 0x1000, 0x1000), (0x1000, 0x1000, 0x1000, 0x1000)])
PIE = program([(0, 0, 0x1000, 0x1000), (0x1000, 0x2000, 0x5000, 0x1000)], size=0x2345)
FIXED = program([(0, 0x400000, 0x1000, 0x1000), (0x1000, 0x402000, 0x5000, 0x1000)], kind=EXECUTABLE)
HUGE = program([(0, 0, 0x1000, 0x200000)])
QEMUS = [
    pytest.param(PIE, POSITION_INDEPENDENT, id="position-independent"),
    pytest.param(FIXED, EXECUTABLE, id="at a fixed address"),
    pytest.param(HUGE, POSITION_INDEPENDENT, id="aligned to 2 MiB"),
]


@pytest.mark.parametrize(("qemu", "kind"), QEMUS)
def test_segments_ascend_without_overlap_and_keep_their_place_in_a_page(qemu: bytes, kind: int) -> None:
    joined = join(FRONT, qemu)
    loaded = [header for header in program_headers(joined) if header[0] == LOAD]
    assert EHDR.unpack_from(joined)[1] == kind
    assert len(loaded) == 1 + len(program_headers(FRONT)) + len(program_headers(qemu))
    for one, other in itertools.pairwise(loaded):
        assert one[3] + one[6] <= other[3]
    assert all((header[2] - header[3]) % header[7] == 0 for header in loaded)
    assert loaded[0][2] == 0, "kernels look for the program headers in the first segment"


@pytest.mark.parametrize(("qemu", "kind"), QEMUS)
def test_qemu_is_there_whole_and_the_marker_shows_where_it_is_mapped(qemu: bytes, kind: int) -> None:
    joined = join(FRONT, qemu)
    [marker] = [header for header in program_headers(joined) if header[0] == PT_QEMU]
    assert joined[marker[2] :] == qemu
    [mapped] = [header for header in program_headers(joined) if header[0] == LOAD and header[2] == marker[2]]
    assert mapped[3] == marker[3]
    assert kind != EXECUTABLE or marker[3] == 0x400000, "a program at a fixed address stays there"


def test_crossbuild_exec_begins() -> None:
    entry = EHDR.unpack_from(join(FRONT, PIE))[4]
    assert entry == EHDR.unpack_from(FRONT)[4] + 0x1000


@pytest.mark.parametrize(
    ("qemu", "reason"),
    [
        pytest.param(b"", "not a 64-bit program", id="empty"),
        pytest.param(b"#!/bin/sh\n".ljust(100), "not a 64-bit program", id="script"),
        pytest.param(program([(0, 0, 1, 1)], machine=AARCH64), "not an x86_64 program", id="aarch64"),
        pytest.param(program([(0, 0, 1, 1)], extra=[INTERP]), "linked dynamically", id="dynamic"),
        pytest.param(PIE[:100], "damaged", id="cut off"),
        pytest.param(program([]), "does not load its own headers", id="no segments"),
        pytest.param(
            program([(0x1000, 0, 0x1000, 0x1000)]), "does not load its own headers", id="headers apart"
        ),
        pytest.param(program([(0, 0x11000, 0x1000, 0x1000)], kind=EXECUTABLE), "no room", id="too low"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_the_reason(qemu: bytes, reason: str) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        join(FRONT, qemu)
    assert reason in caught.value.details
    assert "--qemu" in caught.value.resolution


def test_the_file_appears_whole_and_executable(tmp_path: Path) -> None:
    front, qemu, target = (tmp_path / name for name in ("front", "qemu", "target"))
    front.write_bytes(FRONT)
    qemu.write_bytes(PIE)
    target.write_bytes(b"old")
    write_interpreter(target, front=front, qemu=qemu)
    assert target.read_bytes() == join(FRONT, PIE)
    assert target.stat().st_mode & 0o7777 == 0o755
    assert sorted(path.name for path in tmp_path.iterdir()) == ["front", "qemu", "target"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostNotReadyError, match="front"):
        write_interpreter(tmp_path / "target", front=tmp_path / "front", qemu=tmp_path / "qemu")


def test_a_folder_that_takes_no_file_is_a_storage_error(tmp_path: Path) -> None:
    front = tmp_path / "front"
    front.write_bytes(FRONT)
    with pytest.raises(StorageError):
        write_interpreter(tmp_path / "none/target", front=front, qemu=front)


def test_a_joined_program_is_known_to_hold_its_qemu_and_no_other(tmp_path: Path) -> None:
    for name, content in {"joined": join(FRONT, PIE), "pie": PIE, "fixed": FIXED}.items():
        (tmp_path / name).write_bytes(content)
    assert holds_emulator(tmp_path / "joined", tmp_path / "pie")
    assert holds_emulator(tmp_path / "pie", tmp_path / "pie")
    assert not holds_emulator(tmp_path / "joined", tmp_path / "fixed")
    assert not holds_emulator(tmp_path / "absent", tmp_path / "pie")
