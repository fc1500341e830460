"""`crossbuild report` on a small set."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.cli.main import run
from tests.unit.report.sets import full_set


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return full_set(tmp_path)


def test_the_page_lies_in_the_set(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(directory)]) == 0
    assert (directory / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert str(directory / "report.html") in capsys.readouterr().out.replace("\n", "")


def test_the_page_lies_where_the_user_says(directory: Path, tmp_path: Path) -> None:
    assert run(["report", str(directory), "-o", str(tmp_path / "other.html")]) == 0
    assert (tmp_path / "other.html").exists()
    assert not (directory / "report.html").exists()


def test_a_dash_is_standard_output_and_nothing_else_is_there(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", str(directory), "--output", "-"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("<!DOCTYPE html>")
    assert told.endswith("</html>\n")


def test_what_is_no_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 1
    assert "holds no artifact set" in capsys.readouterr().err


def test_damage_is_told_in_the_page_and_is_no_failure(directory: Path) -> None:
    (directory / "ims/kernel").write_text("KERNEL")
    assert run(["report", str(directory), "--verify"]) == 0
    assert "its content is not what was built" in (directory / "report.html").read_text()
