"""Words that reach provisioners, and what is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.registrars.actions import Remove, Transcript, remove, require_word


@pytest.mark.parametrize("text", ["", "a b", "-a", "n[1-2]", "a;b", "a\nb", "$(a)"])
def test_word_with_other_characters_is_refused(text: str) -> None:
    with pytest.raises(ProvisionerError):
        require_word(text, "A-Za-z0-9_.-", "a name")


def test_plain_word_is_returned() -> None:
    assert require_word("node-1.x_y", "A-Za-z0-9_.-", "a name") == "node-1.x_y"


def test_folder_file_and_nothing_are_removed(tmp_path: Path) -> None:
    folder, file = tmp_path / "folder", tmp_path / "file"
    (folder / "inner").mkdir(parents=True)
    file.touch()
    for path in (folder, file, file):
        remove(Remove(path=path, reason=""))
    assert list(tmp_path.iterdir()) == []


def test_link_to_a_folder_goes_and_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    remove(Remove(path=tmp_path / "link", reason=""))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_complaints_of_programs_are_kept_for_the_error() -> None:
    transcript = Transcript("Warewulf")
    assert transcript.run(("sh", "-c", "echo ERROR: no >&2; exit 0")).status == 0
    assert "ERROR: no" in transcript.details("It is not there.")


def test_program_that_is_missing_is_an_error_of_the_provisioner() -> None:
    with pytest.raises(ProvisionerError, match="no-such-program"):
        Transcript("Warewulf").run(("no-such-program",))
