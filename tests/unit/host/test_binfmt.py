from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.errors import HostNotReadyError
from crossbuild.host.binfmt import (
    HANDLER_FILE,
    HANDLER_NAME,
    aarch64_handler,
    first_asked,
    is_mounted,
    is_outdated,
    parse_handler,
    read_handlers,
    register,
    render_line,
    sorted_flags,
)
from crossbuild.model.architecture import Architecture

QEMU = "/usr/bin/qemu-aarch64-static"
ENTRY = """enabled
interpreter /opt/my qemu/aarch64-binfmt-P
flags: POF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
"""


def test_an_entry_of_the_kernel_is_read_with_every_field() -> None:
    handler = parse_handler("qemu-aarch64", ENTRY)
    assert handler is not None
    assert handler.interpreter == "/opt/my qemu/aarch64-binfmt-P"
    assert (handler.enabled, handler.flags, handler.offset) == (True, "POF", 0)
    assert handler.serves(Architecture.AARCH64)
    assert not handler.serves(Architecture.X86_64)


@pytest.mark.parametrize(
    ("text", "serves", "enabled"),
    [
        pytest.param(ENTRY.replace("enabled", "disabled"), True, False, id="disabled"),
        pytest.param(ENTRY.replace("02010100", "02010103", 1), True, True, id="masked OS ABI"),
        pytest.param(ENTRY.replace("b700\n", "3e00\n"), False, True, id="x86_64"),
        pytest.param(
            "enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c46\n", True, True, id="any ELF"
        ),
        pytest.param(
            "enabled\ninterpreter /q\nflags: \noffset 18\nmagic b700\n", True, True, id="machine only"
        ),
        pytest.param(
            "enabled\ninterpreter /q\nflags: \noffset 19\nmagic b700\n", False, True, id="beyond the header"
        ),
    ],
)
def test_a_handler_serves_what_its_magic_and_mask_match(text: str, serves: bool, enabled: bool) -> None:
    handler = parse_handler("some", text)
    assert handler is not None
    assert (handler.serves(Architecture.AARCH64), handler.enabled) == (serves, enabled)


def test_an_entry_that_goes_by_file_name_is_none_of_ours() -> None:
    assert parse_handler("python", "enabled\ninterpreter /usr/bin/python\nflags: \nextension .pyc\n") is None


def test_the_table_is_read_without_its_control_files(tmp_path: Path) -> None:
    for name, text in (("register", ""), ("status", "enabled\n"), ("qemu-aarch64", ENTRY)):
        (tmp_path / name).write_text(text)
    assert [handler.name for handler in read_handlers(tmp_path)] == ["qemu-aarch64"]
    assert is_mounted(tmp_path)
    assert not is_mounted(tmp_path / "absent")
    assert read_handlers(tmp_path / "absent") == ()


def test_the_handler_file_of_the_repository_is_what_registers_the_default() -> None:
    brought = Path(__file__).parents[3] / "etc/binfmt.d" / HANDLER_FILE.name
    assert brought.read_text().splitlines()[-1] == render_line(aarch64_handler(QEMU, "POF"))


def test_the_handler_file_comes_after_those_of_qemu_packages() -> None:
    assert HANDLER_FILE.name > "qemu-aarch64-static.conf"


def test_registering_writes_one_line_with_escaped_bytes(tmp_path: Path) -> None:
    handler = aarch64_handler(QEMU, "FP")
    register(handler, tmp_path)
    written = (tmp_path / "register").read_text()
    assert written == render_line(handler)
    assert written.startswith(rf":{HANDLER_NAME}:M:0:\x7f\x45\x4c\x46\x02")
    assert written.endswith(rf"\xfe\xff\xff\xff:{QEMU}:PF")


def test_a_refusal_of_the_kernel_names_file_and_reason(tmp_path: Path) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        register(aarch64_handler(QEMU, "F"), tmp_path / "absent")
    assert "No such file or directory" in caught.value.details


@pytest.mark.parametrize(("flags", "expected"), [("FOP", "POF"), ("C", "OC"), ("", ""), ("PF", "PF")])
def test_flags_are_ordered_as_the_kernel_prints_them(flags: str, expected: str) -> None:
    assert sorted_flags(flags) == expected


@pytest.mark.parametrize("path", ["qemu", "/opt/a:b/qemu", "/opt/a\nb", r"/opt/a\b"])
def test_a_path_that_the_format_cannot_hold_is_refused(path: str) -> None:
    with pytest.raises(HostNotReadyError):
        aarch64_handler(path, "F")


def register_at(table: Path, name: str, seconds: int) -> None:
    (table / name).touch()
    os.utime(table / name, (0, seconds))


def test_the_handler_registered_last_is_asked_first(tmp_path: Path) -> None:
    own = aarch64_handler(QEMU, "POF")
    other = replace(own, name="other")
    foreign = replace(own, name="foreign", magic=own.magic[:18] + b"\xf3\x00")
    handlers = (own, other, foreign)
    for seconds, handler in enumerate(handlers):
        register_at(tmp_path, handler.name, seconds)
    assert first_asked(handlers, Architecture.AARCH64, tmp_path) is other
    assert first_asked((own, replace(other, enabled=False)), Architecture.AARCH64, tmp_path) is own
    register_at(tmp_path, own.name, 9)
    assert first_asked(handlers, Architecture.AARCH64, tmp_path) is own
    assert first_asked((), Architecture.AARCH64, tmp_path) is None


def test_a_handler_holds_the_file_that_was_there_when_it_was_registered(tmp_path: Path) -> None:
    program = tmp_path / "qemu"
    program.touch()
    handler = aarch64_handler(str(program), "POF")
    changed = program.stat().st_ctime
    for registered, outdated in ((changed + 60, False), (changed - 60, True)):
        register_at(tmp_path, handler.name, int(registered))
        assert is_outdated(handler, tmp_path) is outdated
    assert not is_outdated(replace(handler, flags="PO"), tmp_path)
    assert not is_outdated(replace(handler, interpreter="/absent"), tmp_path)
