"""A file that builds share gets a second name, or a copy where it can have none."""

from pathlib import Path

import pytest

from crossbuild.host.linking import link_or_copy


def test_a_second_name_is_given(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    link_or_copy(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two").samefile(tmp_path / "one")


def test_between_file_systems_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    (tmp_path / "one").write_text("x")
    monkeypatch.setattr("os.link", refuse)
    link_or_copy(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two").read_text() == "x"


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    (tmp_path / "two").write_text("y")
    with pytest.raises(FileExistsError):
        link_or_copy(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "two").read_text() == "y"
