from __future__ import annotations

import struct
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host.qemu import Emulator, choose_emulator, find_emulators, is_static

MODERN, EL8 = (5, 14), (4, 18)
STATIC = Emulator(path="/usr/bin/qemu-aarch64-static", version="7.2.22", static=True)
DYNAMIC = Emulator(path="/usr/bin/qemu-aarch64", version="9.1.0", static=False)
OLD = Emulator(path="/usr/local/bin/qemu-aarch64-old", version="5.2.0", static=True)
NAMED = Emulator(path="/usr/libexec/qemu-binfmt/aarch64-binfmt-P", version="5.2.0", static=True)
BROKEN = Emulator(path="/opt/broken", version="", static=True)


@pytest.mark.parametrize(
    ("emulators", "kernel", "path", "flags"),
    [
        pytest.param((DYNAMIC, STATIC), MODERN, STATIC.path, "POF", id="the first static one"),
        pytest.param((BROKEN, STATIC), MODERN, STATIC.path, "POF", id="one that runs"),
        pytest.param((STATIC,), EL8, STATIC.path, "OF", id="an old kernel does not tell of P"),
        pytest.param((OLD,), MODERN, OLD.path, "OF", id="an old qemu does not ask for P"),
        pytest.param((OLD, NAMED), EL8, NAMED.path, "POF", id="the name tells of P"),
    ],
)
def test_the_choice_keeps_argv0_where_it_can(
    emulators: tuple[Emulator, ...], kernel: tuple[int, int], path: str, flags: str
) -> None:
    choice = choose_emulator(emulators, kernel=kernel)
    assert (choice.emulator.path, choice.flags) == (path, flags)


def test_credentials_are_added_only_on_request() -> None:
    assert choose_emulator((STATIC,), kernel=MODERN, credentials=True).flags == "POCF"


def test_a_configured_emulator_is_used_or_refused() -> None:
    assert choose_emulator((OLD, STATIC), kernel=MODERN, configured=STATIC.path).emulator is STATIC
    with pytest.raises(HostNotReadyError, match="cannot serve"):
        choose_emulator((STATIC, DYNAMIC), kernel=MODERN, configured=DYNAMIC.path)


def test_nothing_usable_names_what_was_found_and_the_option() -> None:
    with pytest.raises(HostNotReadyError) as caught:
        choose_emulator((DYNAMIC, BROKEN), kernel=MODERN)
    assert f"{DYNAMIC.path}: dynamically linked" in caught.value.details
    assert "--qemu" in caught.value.resolution


@pytest.mark.parametrize(
    ("segments", "static"),
    [((1, 1), True), ((6, 3, 1), False), ((), False)],
    ids=["static", "loader", "no table"],
)
def test_a_program_with_an_interpreter_is_not_static(
    tmp_path: Path, segments: tuple[int, ...], static: bool
) -> None:
    header = b"\x7fELF\x02\x01\x01".ljust(32, b"\0") + struct.pack("<Q", 64)
    header = header.ljust(54, b"\0") + struct.pack("<HH", 56, len(segments))
    program = tmp_path / "program"
    program.write_bytes(header.ljust(64, b"\0") + b"".join(struct.pack("<I52x", kind) for kind in segments))
    assert is_static(program) is static


def test_a_script_is_not_static(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n" * 20)
    assert not is_static(script)


def test_the_newest_of_several_versions_side_by_side_comes_first(tmp_path: Path) -> None:
    for place in ("opt/crossbuild/qemu/9.2", "opt/crossbuild/qemu/10.1", "usr/bin"):
        _script(tmp_path / place / "qemu-aarch64-static", f"qemu-aarch64 version {place[-4:].strip('/')}")
    (tmp_path / "usr/bin/qemu-aarch64").symlink_to("qemu-aarch64-static")
    found = [Path(emulator.path).relative_to(tmp_path) for emulator in find_emulators(root=tmp_path)]
    assert [os_path.parts[-2] for os_path in found] == ["10.1", "9.2", "bin"]


def test_a_program_of_another_architecture_has_no_version(tmp_path: Path) -> None:
    _script(tmp_path / "usr/local/bin/qemu-aarch64_be", "qemu-aarch64_be version 7.2.22")
    (emulator,) = find_emulators(root=tmp_path)
    assert emulator.version == ""


def _script(path: Path, answer: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho {answer}\n")
    path.chmod(0o755)
