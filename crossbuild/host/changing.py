"""Makes changes of this host with a journal beside them, and takes back what a journal holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from crossbuild.host import changes
from crossbuild.host.changes import Change, MakeFolder
from crossbuild.host.journal import Journal, boot_id

ChangeSink = Callable[[Change], None]


@dataclass(frozen=True, kw_only=True)
class Left:
    """A change that was not taken back, and why."""

    change: Change
    reason: str


def make(planned: Iterable[Change], journal: Journal, on_change: ChangeSink) -> None:
    """Make every change of *planned*, each recorded before it happens; raise StorageError if it cannot be."""
    with journal.locked():
        for change in planned:
            on_change(change)
            journal.record(change)
            changes.do(change)


def take_back(journal: Journal, on_change: ChangeSink) -> tuple[Left, ...]:
    """Take back what *journal* holds, last change first; return what somebody changed since and was left."""
    left: list[Left] = []
    if not journal.path.exists():
        return ()
    with journal.locked():
        entries = journal.entries()
        # The folders of the journal itself go when it is no longer needed.
        own = [entry.change for entry in entries if _holds(entry.change, journal.folder)]
        for entry in reversed([entry for entry in entries if entry.change not in own]):
            on_change(entry.change)
            left += _undo(entry.change, rebooted=entry.boot != boot_id())
        journal.remove()
        for folder in _innermost_first(own):
            on_change(folder)
            left += _undo(folder, rebooted=False)
    return tuple(left)


def _holds(change: Change, folder: Path) -> TypeGuard[MakeFolder]:
    return isinstance(change, MakeFolder) and folder.is_relative_to(change.path)


def _innermost_first(folders: Iterable[MakeFolder]) -> list[MakeFolder]:
    """Return *folders*, each once: a folder may be recorded for the journal and for what else it holds."""
    by_path = {folder.path: folder for folder in folders}
    return [by_path[path] for path in sorted(by_path, key=lambda path: len(path.parts), reverse=True)]


def _undo(change: Change, *, rebooted: bool) -> Iterator[Left]:
    reason = changes.undo(change, rebooted=rebooted)
    if reason:
        yield Left(change=change, reason=reason)
