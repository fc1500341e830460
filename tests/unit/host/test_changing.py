from __future__ import annotations

from pathlib import Path

from crossbuild.host.changes import Change, WriteFile
from crossbuild.host.changing import make, take_back
from crossbuild.host.journal import Journal


def _ignore(change: Change) -> None:
    pass


def written(path: Path, content: str, before: str | None = None) -> WriteFile:
    return WriteFile(path=path, content=content, before=before, reason="")


def test_each_journal_takes_back_its_own_changes_only(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    one, other = Journal(state), Journal(state, "export")
    make([written(tmp_path / "one", "1")], one, _ignore)
    make([written(tmp_path / "other", "2")], other, _ignore)
    assert take_back(other, _ignore) == ()
    assert ((tmp_path / "one").exists(), (tmp_path / "other").exists()) == (True, False)
    assert [left.change for left in take_back(one, _ignore)] == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["state"]


def test_a_file_that_was_replaced_twice_is_as_it_was_at_first(tmp_path: Path) -> None:
    path, journal = tmp_path / "file", Journal(tmp_path / "state")
    path.write_text("theirs")
    make([written(path, "first", "theirs")], journal, _ignore)
    make([written(path, "second", "first")], journal, _ignore)
    assert take_back(journal, _ignore) == ()
    assert path.read_text() == "theirs"
