"""How crossbuild-exec is compiled, and that C and Python agree on the formats they share."""

from __future__ import annotations

import re
from pathlib import Path

from crossbuild.acceleration import build, starts, table
from crossbuild.host import interpreter

FOLDER = Path(build.__file__).parent


def test_the_compiler_reads_the_source_and_writes_the_target(tmp_path: Path) -> None:
    command = build.compile_command(tmp_path / "target", "clang")
    assert command[0] == "clang"
    assert command[-2:] == [str(tmp_path / "target"), str(FOLDER / "exec.c")]
    assert "-nostdlib" in command


def test_the_marker_is_the_one_that_the_program_looks_for() -> None:
    assert f"#define PT_QEMU {interpreter.PT_QEMU:#x}" in (FOLDER / "exec.c").read_text()


def test_the_table_begins_as_the_program_expects_and_its_limit_is_the_same() -> None:
    assert f'#define TABLE_HEAD "{table.HEAD}\\n"' in (FOLDER / "table.h").read_text()
    assert "#define MAX_TABLE (1 << 20)" in (FOLDER / "exec.c").read_text()
    assert table.MAX_SIZE == 1 << 20


def test_every_way_has_its_letter() -> None:
    letters = re.findall(r"^\t([A-Z_]+) = '(.)',", (FOLDER / "rule.h").read_text(), re.MULTILINE)
    assert dict(letters) == {way.name: way.value for way in starts.Way}
