"""The changes that crossbuild makes to a host: values that can be done, recorded and taken back."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from crossbuild.errors import HostNotReadyError, StorageError
from crossbuild.host import binfmt
from crossbuild.host.interpreter import join, write_interpreter
from crossbuild.model.host import Handler


@dataclass(frozen=True, kw_only=True)
class MakeFolder:
    """A folder that is missing is made."""

    path: Path
    mode: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class WriteFile:
    """A file gets *content*; *before* is what it held, None where it did not exist."""

    path: Path
    content: str
    before: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class InstallInterpreter:
    """The program that a handler starts is joined at *path* from crossbuild-exec, *front*, and *qemu*."""

    path: Path
    front: Path
    qemu: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class MountBinfmt:
    """binfmt_misc is mounted."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class RegisterHandler:
    """*handler* is registered in front of all others; *before* is the entry that had its name."""

    handler: Handler
    before: Handler | None
    file: Path
    systemd: bool
    reason: str


Change = MakeFolder | WriteFile | InstallInterpreter | MountBinfmt | RegisterHandler


def describe(change: Change) -> str:
    """Return what *change* does, for a person."""
    match change:
        case MakeFolder():
            return f"make the folder {change.path} (mode {change.mode:04o})"
        case WriteFile():
            return f"{'write' if change.before is None else 'replace'} the file {change.path}"
        case InstallInterpreter():
            return f"install the interpreter {change.path}, which holds {change.qemu}"
        case MountBinfmt():
            return f"mount binfmt_misc at {change.path}"
        case RegisterHandler():
            handler = change.handler
            return f"register the handler {handler.name} ({handler.interpreter}, flags {handler.flags})"
        case _:
            assert_never(change)


def do(change: Change) -> None:
    """Make *change*; doing it twice is the same as doing it once."""
    with _reported(change):
        match change:
            case MakeFolder():
                change.path.mkdir(mode=change.mode, exist_ok=True)
            case WriteFile():
                _replace(change.path, change.content)
            case InstallInterpreter():
                write_interpreter(change.path, front=change.front, qemu=change.qemu)
            case MountBinfmt():
                if not binfmt.is_mounted(change.path):
                    binfmt.mount(change.path)
            case RegisterHandler():
                _register(change)
            case _:
                assert_never(change)


def undo(change: Change, *, rebooted: bool) -> str:
    """Take *change* back if it is still as `do` left it; return why it was left, empty where nothing is left.

    *rebooted* says that the host was restarted since: what only the kernel held is no longer crossbuild's.
    """
    with _reported(change):
        match change:
            case MakeFolder():
                return _remove_folder(change.path)
            case WriteFile():
                return _restore(change)
            case InstallInterpreter():
                change.path.unlink(missing_ok=True)
                return ""
            case MountBinfmt():
                return "" if rebooted or not binfmt.is_mounted(change.path) else _unmount(change.path)
            case RegisterHandler():
                return _unregister(change)
            case _:
                assert_never(change)


def read_text(path: Path) -> str | None:
    """Return what *path* holds, None where it does not exist."""
    try:
        return path.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return None


def is_installed(change: InstallInterpreter) -> bool:
    """Tell whether the interpreter is there and made from the present files."""
    try:
        made = join(change.front.read_bytes(), change.qemu.read_bytes())
        return change.path.read_bytes() == made
    except OSError:
        return False


def _replace(path: Path, content: str) -> None:
    """Put *content* in place of *path* in one step that survives a crash."""
    scratch = _scratch(path)
    with scratch.open("w", errors="surrogateescape") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
    scratch.replace(path)


def _scratch(path: Path) -> Path:
    """Return the name under which the next content of *path* is written: one name, so a crash leaves one."""
    return path.with_name(f".{path.name}.new")


def _restore(change: WriteFile) -> str:
    _scratch(change.path).unlink(missing_ok=True)
    current = read_text(change.path)
    if current == change.before:
        return ""
    if current != change.content:
        return "It was changed by somebody since."
    if change.before is None:
        change.path.unlink()
    else:
        _replace(change.path, change.before)
    return ""


def _remove_folder(path: Path) -> str:
    try:
        path.rmdir()
    except FileNotFoundError:
        return ""
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
            raise
        return "It is not empty."
    return ""


def _unmount(path: Path) -> str:
    others = ", ".join(handler.name for handler in binfmt.read_handlers(path))
    if others:
        return f"Handlers of others are registered there: {others}."
    binfmt.unmount(path)
    return ""


def _register(change: RegisterHandler) -> None:
    if binfmt.read_handler(change.handler.name):
        # The kernel refuses a second entry of one name, and only a new entry comes before the others.
        binfmt.unregister(change.handler.name)
    if not (change.systemd and binfmt.register_by_systemd(change.file)):
        binfmt.register(change.handler)


def _unregister(change: RegisterHandler) -> str:
    current = binfmt.read_handler(change.handler.name)
    if current in (None, change.before):
        return ""
    if current != change.handler:
        return "It was registered anew by somebody since."
    binfmt.unregister(change.handler.name)
    if change.before is not None:
        binfmt.register(change.before)
    return ""


@contextlib.contextmanager
def _reported(change: Change) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        raise (StorageError if full else HostNotReadyError)(
            f"Could not {describe(change)}.",
            details=str(error),
            resolution="Mend that and run the same command again: it goes on where it stopped.",
        ) from error
