"""Makes this host able to run aarch64 programs, and takes back what it did."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossbuild.acceleration.build import FRONT
from crossbuild.errors import CrossbuildError, HostNotReadyError
from crossbuild.host import changes
from crossbuild.host.binfmt import (
    HANDLER_FILE,
    HANDLER_NAME,
    MOUNT_POINT,
    aarch64_handler,
    first_asked,
    is_outdated,
    read_handler,
    read_handlers,
    render_line,
    sorted_flags,
)
from crossbuild.host.changes import (
    Change,
    InstallInterpreter,
    MakeFolder,
    MountBinfmt,
    RegisterHandler,
    WriteFile,
)
from crossbuild.host.changing import ChangeSink, Left, make, take_back
from crossbuild.host.checks.emulation import ODD_ARGV, probe_folder
from crossbuild.host.interpreter import FOLDER, NAME
from crossbuild.host.journal import Journal
from crossbuild.host.probe import probe_in
from crossbuild.host.qemu import EmulatorChoice
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Handler, HostFacts
from crossbuild.resources import data_folder


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What setup shall bring about, and what it must know beside the host's facts."""

    emulator: EmulatorChoice
    missing_folders: tuple[Path, ...]
    """Of all that setup writes to, each after the one that holds it."""
    roots: Path
    interpreter: InstallInterpreter | None
    """What puts crossbuild-exec in front of the emulator, None where this crossbuild comes without it."""
    interpreter_ready: bool
    """Whether that is there already, made from these very files."""
    handler_file: str | None
    """What HANDLER_FILE holds, None where it does not exist."""
    proven: bool
    """Whether a test program already runs as it must."""
    again: str = ""
    """Why the handler must be registered again even if it is as it should be, empty if it need not."""


def plan_setup(facts: HostFacts, wish: Wish) -> tuple[Change, ...]:
    """Return what is to change on the host of *facts*, in this order; empty where all is as it must be."""
    folders = tuple(_folder_changes(wish))
    if facts.native(Architecture.AARCH64):
        return folders
    handler = wanted_handler(wish.emulator, wish.interpreter)
    return (
        *folders,
        *_mount_changes(facts),
        *((wish.interpreter,) if wish.interpreter and not wish.interpreter_ready else ()),
        *_file_changes(handler, wish),
        *_handler_changes(facts, handler, wish),
    )


def apply_setup(planned: tuple[Change, ...], state: Path, on_change: ChangeSink) -> None:
    """Make every change of *planned*, each recorded below *state* before it happens.

    Raises HostNotReadyError without root, StorageError where the journal cannot be kept.
    """
    require_root()
    make(planned, Journal(state), on_change)
    if not emulation_works():
        raise HostNotReadyError(
            "The handler is registered, but aarch64 programs still do not run as they must.",
            resolution="Run `sudo crossbuild doctor`: it names the cause.",
        )


def undo_setup(state: Path, on_change: ChangeSink) -> tuple[Left, ...]:
    """Take back what setup did, last change first; return what was left because somebody changed it since."""
    require_root()
    return take_back(Journal(state), on_change)


def emulation_works() -> bool:
    """Say whether a test program runs as it must here, as root also in a bare chroot."""
    try:
        with probe_in(probe_folder()) as probe:
            outcome = probe.run(ODD_ARGV)
            in_chroot = os.geteuid() != 0 or not probe.run_in_chroot().reason
    except CrossbuildError:
        return False
    return in_chroot and (outcome.argv0, outcome.argc) == (ODD_ARGV[0], len(ODD_ARGV))


def wish_for(emulator: EmulatorChoice, *, roots: Path, state: Path) -> Wish:
    """Return what setup must know to bring about *emulator* as handler and a place for *roots*."""
    folders = [*reversed(HANDLER_FILE.parents), *reversed(roots.parents), roots]
    interpreter = _interpreter(emulator, state)
    if interpreter:
        folders += [*reversed(interpreter.path.parents)]
    return Wish(
        emulator=emulator,
        interpreter=interpreter,
        interpreter_ready=interpreter is not None and changes.is_installed(interpreter),
        missing_folders=tuple(path for path in folders if not os.access(path, os.F_OK)),
        roots=roots,
        handler_file=changes.read_text(HANDLER_FILE),
        proven=emulation_works(),
        again=_why_again(),
    )


def wanted_handler(emulator: EmulatorChoice, interpreter: InstallInterpreter | None) -> Handler:
    """Return the handler that starts *interpreter*, made of *emulator*, or without one *emulator* itself."""
    if interpreter is None:
        return aarch64_handler(emulator.emulator.path, emulator.flags)
    # Its name tells qemu of flag P, whatever the kernel.
    return aarch64_handler(os.fspath(interpreter.path), sorted_flags(f"{emulator.flags}P"))


def install_interpreter(emulator: EmulatorChoice, state: Path) -> InstallInterpreter | None:
    """Put crossbuild-exec, joined with *emulator*, below *state* unless it is there already.

    None where this crossbuild comes without it. Raises HostNotReadyError, StorageError.
    """
    interpreter = _interpreter(emulator, state)
    if interpreter and not changes.is_installed(interpreter):
        interpreter.path.parent.mkdir(parents=True, exist_ok=True)
        changes.do(interpreter)
    return interpreter


def require_root() -> None:
    """Raise HostNotReadyError unless this process runs as root."""
    if os.geteuid() != 0:
        raise HostNotReadyError(
            "Setup changes files and kernel tables of this host, which only root may do.",
            resolution="Run it with sudo; `crossbuild setup --dry-run` shows the changes without it.",
        )


def handler_file_text(handler: Handler) -> str:
    """Return the handler file that crossbuild brings, its last line made for *handler*."""
    brought = (data_folder() / "etc" / "binfmt.d" / HANDLER_FILE.name).read_text()
    comments = [line for line in brought.splitlines() if not line.startswith(":")]
    if "C" in handler.flags:
        comments = [line for line in comments if not line.startswith("# C is left out")]
        comments.append("# C: set-uid programs gain their owner's identity, as `--credentials` asked for.")
    return "\n".join([*comments, render_line(handler)]) + "\n"


def _interpreter(emulator: EmulatorChoice, state: Path) -> InstallInterpreter | None:
    if not FRONT.is_file():
        return None
    return InstallInterpreter(
        path=state / FOLDER / NAME,
        front=FRONT,
        qemu=Path(emulator.emulator.path),
        reason="In crossbuild's sandboxes it runs programs natively where that makes no difference.",
    )


def _mount_changes(facts: HostFacts) -> Iterator[Change]:
    if not facts.binfmt_mounted:
        yield MountBinfmt(path=MOUNT_POINT, reason="The kernel's table of handlers is not visible.")


def _file_changes(handler: Handler, wish: Wish) -> Iterator[Change]:
    content = handler_file_text(handler)
    if wish.handler_file != content:
        reason = "The handler comes back after a restart where systemd-binfmt runs."
        yield WriteFile(path=HANDLER_FILE, content=content, before=wish.handler_file, reason=reason)


def _handler_changes(facts: HostFacts, handler: Handler, wish: Wish) -> Iterator[Change]:
    before = next((entry for entry in facts.handlers if entry.name == handler.name), None)
    stale = wish.interpreter is not None and not wish.interpreter_ready
    if before == handler and wish.proven and not (stale or wish.again):
        return
    if before == handler and stale:
        reason = "The kernel holds the interpreter open that was there before."
    elif before == handler and wish.again:
        reason = wish.again
    elif before == handler:
        reason = "It is there but does not do its work: a new entry comes before all others."
    elif before is not None:
        reason = f"It is there with {before.interpreter} and flags {before.flags or 'none'}."
    else:
        reason = f"Aarch64 programs run through {wish.emulator.reason}."
    yield RegisterHandler(
        handler=handler, before=before, file=HANDLER_FILE, systemd=facts.systemd, reason=reason
    )


def _why_again() -> str:
    own = read_handler(HANDLER_NAME)
    if own is None:
        return ""
    first = first_asked(read_handlers(), Architecture.AARCH64)
    if first and first.name != own.name:
        return f"`{first.name}` was registered later: a new entry comes before all others."
    # Setup may have been killed between the two, or a package brought another qemu.
    return "Its interpreter was replaced after the kernel had opened it." if is_outdated(own) else ""


def _folder_changes(wish: Wish) -> Iterator[Change]:
    for path in wish.missing_folders:
        # Roots hold password hashes and set-uid programs: nobody but root enters.
        mode = 0o700 if path == wish.roots else 0o755
        reason = (
            "Roots of images are kept there." if wish.roots.is_relative_to(path) else "It holds the file."
        )
        yield MakeFolder(path=path, mode=mode, reason=reason)
