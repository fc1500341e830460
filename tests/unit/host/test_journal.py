from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.errors import CrossbuildError, StorageError
from crossbuild.host.changes import Change, MakeFolder, MountBinfmt, RegisterHandler, WriteFile
from crossbuild.host.journal import Journal, boot_id
from tests.unit.host.hosts import OTHER, OWN

CHANGES: tuple[Change, ...] = (
    MakeFolder(path=Path("/a b"), mode=0o700, reason="why"),
    WriteFile(path=Path("/f"), content="line\n\udcff", before="é", reason=""),
    WriteFile(path=Path("/f"), content="", before=None, reason=""),
    MountBinfmt(path=Path("/proc/x"), reason=""),
    RegisterHandler(
        handler=OWN, before=replace(OTHER, enabled=False), file=Path("/c"), systemd=True, reason=""
    ),
    RegisterHandler(handler=OWN, before=None, file=Path("/c"), systemd=False, reason=""),
)


def test_every_kind_of_change_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with journal.locked():
        for change in CHANGES:
            journal.record(change)
    own, *entries = journal.entries()
    assert own.change == MakeFolder(
        path=tmp_path / "journal", mode=0o755, reason="It holds the journal of setup."
    )
    assert tuple(entry.change for entry in entries) == CHANGES
    assert {entry.boot for entry in entries} == {boot_id()}


def test_a_line_cut_short_by_a_crash_is_no_entry_and_makes_room_for_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with journal.locked():
        journal.record(CHANGES[0])
    with journal.path.open("a") as file:
        file.write('{"boot": "x", "cha')
    assert len(journal.entries()) == 2
    with journal.locked():
        journal.record(CHANGES[1])
    assert journal.entries()[-1].change == CHANGES[1]


@pytest.mark.parametrize("line", ["not JSON", "{}", "[]", '{"boot": "x", "change": "magic"}'])
def test_a_damaged_journal_is_named_and_not_guessed_at(tmp_path: Path, line: str) -> None:
    journal = Journal(tmp_path)
    journal.folder.mkdir()
    journal.path.write_text(line + "\n")
    with pytest.raises(CrossbuildError, match="damaged"):
        journal.entries()


def test_a_journal_that_cannot_be_kept_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file in its place")
    with pytest.raises(StorageError, match="nothing more is changed"), Journal(tmp_path).locked():
        pass
