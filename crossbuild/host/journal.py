"""The record of what crossbuild changed here, so that exactly this can be taken back, also after a crash.

One JSON object per line, on disk before its change happens: an entry whose change never came about is
harmless, because undoing looks at what is there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbuild.errors import CrossbuildError, StorageError
from crossbuild.host.changes import (
    Change,
    InstallInterpreter,
    MakeFolder,
    MountBinfmt,
    RegisterHandler,
    WriteFile,
)
from crossbuild.model.host import Handler

_PATH_KINDS: dict[str, type[MakeFolder | WriteFile | MountBinfmt]] = {
    "folder": MakeFolder,
    "file": WriteFile,
    "mount": MountBinfmt,
}
_KINDS: dict[str, type[Change]] = {
    **_PATH_KINDS,
    "handler": RegisterHandler,
    "interpreter": InstallInterpreter,
}
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Another at every start of the host (random(4))."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A change as it was recorded, with the start of the host during which it was made."""

    change: Change
    boot: str


class Journal:
    """A journal below a state folder: that of setup, or another one by its *name*."""

    def __init__(self, state: Path, name: str = "setup") -> None:
        self.name = name
        self.folder = state / "journal"
        self.path = self.folder / f"{name}.jsonl"

    def entries(self) -> tuple[Entry, ...]:
        """Return what was recorded, oldest first; a last line cut short by a crash had no effect yet."""
        try:
            lines = self.path.read_text().split("\n")
        except FileNotFoundError:
            return ()
        # What follows the last line break was never completed.
        return tuple(_parse(line, self.path) for line in lines[:-1])

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal alone; its folders are made and, where still missing in it, recorded."""
        with _storage(self.path):
            missing = _missing_folders(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._cut_torn_line()
            except BaseException:
                os.close(lock)
                raise
        try:
            for folder in missing:
                self.record(
                    MakeFolder(path=folder, mode=0o755, reason=f"It holds the journal of {self.name}.")
                )
            yield
        finally:
            os.close(lock)

    def record(self, change: Change) -> None:
        """Write *change* down; it is on disk when this returns."""
        with _storage(self.path), self.path.open("a") as file:
            file.write(json.dumps({"boot": boot_id(), **_as_json(change)}) + "\n")
            file.flush()
            os.fsync(file.fileno())
            _sync_folder(self.folder)

    def remove(self) -> None:
        """Forget everything."""
        with _storage(self.path):
            self.path.unlink(missing_ok=True)

    def _cut_torn_line(self) -> None:
        content = self.path.read_bytes() if self.path.exists() else b""
        if content and not content.endswith(b"\n"):
            os.truncate(self.path, content.rfind(b"\n") + 1)


def boot_id() -> str:
    """Return what tells this start of the host from all others."""
    return _BOOT_ID.read_text().strip()


def _missing_folders(folder: Path) -> tuple[Path, ...]:
    """Return *folder* and those above it that do not exist, outermost first."""
    return tuple(path for path in reversed((folder, *folder.parents)) if not path.exists())


def _as_json(change: Change) -> dict[str, object]:
    kind = next(kind for kind, type_ in _KINDS.items() if isinstance(change, type_))
    fields = dataclasses.asdict(change)
    return {"change": kind, **json.loads(json.dumps(fields, default=_plain))}


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _parse(line: str, path: Path) -> Entry:
    try:
        values = json.loads(line)
        boot, kind = values.pop("boot"), values.pop("change")
        return Entry(boot=boot, change=_change(kind, values))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CrossbuildError(
            f"The journal {path} is damaged.",
            details=f"Not an entry: {line[:200]!r}",
            resolution="Take the changes back by hand, guided by the lines of the file, then remove it.",
        ) from error


def _change(kind: str, values: dict[str, Any]) -> Change:
    if kind == "handler":
        before = values.pop("before")
        return RegisterHandler(
            handler=_handler(values.pop("handler")),
            before=_handler(before) if before else None,
            file=Path(values.pop("file")),
            **values,
        )
    if kind == "interpreter":
        return InstallInterpreter(
            reason=values.pop("reason"), **{name: Path(values[name]) for name in values}
        )
    return _PATH_KINDS[kind](path=Path(values.pop("path")), **values)


def _handler(values: dict[str, Any]) -> Handler:
    magic, mask = (bytes.fromhex(values.pop(name)) for name in ("magic", "mask"))
    return Handler(magic=magic, mask=mask, **values)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The journal {path} cannot be kept, so nothing more is changed.",
            details=str(error),
            resolution="Free space there or make the folder writable, then run the same command again.",
        ) from error
