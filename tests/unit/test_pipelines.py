"""The Makefile that installs OpenHPC's development stack: which commands it runs, in which order."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from crossbuild.host.command import capture, environment
from tests.documents import CHECKOUT

FOLDER = CHECKOUT / "examples/pipelines/openhpc"
RECORDER = """\
#!/bin/sh
echo "$*" >> "$RECORD"
case "$1 $2" in
  "builder show") exit {shows} ;;
  "openhpc packages") [ {fails} = no ] && echo one && echo two ;;
esac
"""


def make(folder: Path, *words: str, shows: int = 1, fails: str = "no", status: int = 0) -> list[str]:
    """Return the command lines of crossbuild that `make` ran, by a program that notes them down."""
    program, record = folder / "crossbuild", folder / "record"
    program.write_text(RECORDER.format(shows=shows, fails=fails))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    record.write_text("")
    argv = ["make", "--no-print-directory", "--directory", str(FOLDER), f"CROSSBUILD={program}", *words]
    env = environment({"RECORD": str(record), "MAKEFLAGS": "", "MAKELEVEL": ""})
    assert capture(argv, check=False, env=env).status == status
    return record.read_text().splitlines()


def test_the_stack_goes_into_a_builder_that_is_made_first(tmp_path: Path) -> None:
    assert make(tmp_path) == [
        "builder show openhpc",
        "root create openhpc --spec builder.yaml --replace",
        "builder create openhpc --from-root openhpc",
        "root remove openhpc",
        "openhpc packages builder.yaml development",
        "run --builder openhpc -- dnf --assumeyes --enablerepo=crb install one two",
    ]


def test_a_builder_that_is_there_is_used(tmp_path: Path) -> None:
    ran = make(tmp_path, "PARTS=compilers mpi", shows=0)
    assert ran[:2] == ["builder show openhpc", "openhpc packages builder.yaml compilers mpi"]
    assert len(ran) == 3


def test_nothing_is_installed_where_the_names_cannot_be_told(tmp_path: Path) -> None:
    ran = make(tmp_path, shows=0, fails="yes", status=2)
    assert [line for line in ran if line.startswith("run")] == []


@pytest.mark.parametrize("group", ["development", "compilers"])
def test_the_names_come_from_crossbuild_itself(tmp_path: Path, group: str) -> None:
    program = f"{sys.executable} -m crossbuild"
    config = tmp_path / "config.yaml"
    config.write_text("")
    argv = ["make", "--no-print-directory", "--directory", str(FOLDER), "list", f"PARTS={group}"]
    listed = capture([*argv, f"CROSSBUILD={program} --config {config}"], env=environment({"MAKEFLAGS": ""}))
    assert "gnu14-compilers-ohpc" in listed.stdout.split()
