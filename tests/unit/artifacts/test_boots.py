"""Records of boots beside a set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.artifacts.boots import read_boot, write_boot
from crossbuild.artifacts.store import load_set, verify_set
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import Verdict
from tests.unit.artifacts.sets import make_set
from tests.unit.booting.records import RECORD


@pytest.fixture
def console(tmp_path: Path) -> Path:
    path = tmp_path / "console"
    path.write_bytes(b"\x1b[1mBooting\xff\r\n")
    return path


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path, console: Path) -> None:
    write_boot(RECORD, console, tmp_path)
    assert read_boot(tmp_path, OutputKind.WAREWULF3) == RECORD
    assert (tmp_path / "boot/warewulf3.log").read_bytes() == console.read_bytes()


def test_the_latest_boot_of_a_way_counts(tmp_path: Path, console: Path) -> None:
    write_boot(RECORD, console, tmp_path)
    failed = replace(RECORD, verdict=Verdict.FAILED, reason="It hung.", lines=("one", "two"))
    write_boot(failed, console, tmp_path)
    assert read_boot(tmp_path, OutputKind.WAREWULF3) == failed
    assert read_boot(tmp_path, OutputKind.IMS) is None
    assert sorted(path.name for path in (tmp_path / "boot").iterdir()) == ["warewulf3.json", "warewulf3.log"]


def test_a_set_that_was_booted_is_as_it_was_built(tmp_path: Path, console: Path) -> None:
    directory = make_set(tmp_path)
    write_boot(RECORD, console, directory)
    assert verify_set(load_set(directory)) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"way": "warewulf3"}'])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/ims.json").write_text(text)
    with pytest.raises(ArtifactError, match="no record of a boot"):
        read_boot(tmp_path, OutputKind.IMS)
