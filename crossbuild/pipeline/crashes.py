"""Crashes of qemu: how output tells of them, and another qemu for a second try, in the sandboxes alone."""

from __future__ import annotations

import re
from pathlib import Path

from crossbuild.acceleration.build import FRONT
from crossbuild.errors import CommandFailedError
from crossbuild.host.binfmt import aarch64_handler, sorted_flags
from crossbuild.host.facts import inspect_host
from crossbuild.host.interpreter import NAME, holds_emulator, write_interpreter
from crossbuild.host.qemu import Emulator, choose_emulator, find_emulators
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import EmulatorCrash
from crossbuild.model.host import Handler
from crossbuild.model.site import Site
from crossbuild.pipeline.narrator import Narrator

STATUSES = frozenset(sign for number in (4, 6, 7, 11) for sign in (-number, 128 + number))
"""How what SIGILL, SIGABRT, SIGBUS or SIGSEGV ended looks to who waits for it, and behind a shell."""
CRASH = re.compile(
    # qemu, linux-user/signal.c: of the program that it runs, and of itself.
    r"qemu: uncaught target signal (?:4|6|7|11)\b|QEMU internal SIG\w+"
    r"|scriptlet failed, (?:signal (?:4|6|7|11)|exit status (?:132|134|135|139))\b"  # rpm
    r"|script failed \(returned (?:132|134|135|139)\)"  # libzypp
    r"|killed by signal \((?:Illegal instruction|Aborted|Bus error|Segmentation fault)\)"  # dpkg
    r"|error exit status (?:132|134|135|139)\b"
)
PRIVATE_HANDLERS = (6, 7)
"""The first Linux with a table of handlers for each user namespace."""


def is_crash(text: str) -> bool:
    """Say whether *text*, of the output of a step, tells of a crash that may be qemu's."""
    return CRASH.search(text) is not None


def second_emulator(error: CommandFailedError, site: Site, work: Path, narrator: Narrator) -> Handler | None:
    """Return a handler for another qemu than the one that *error* may come from, made below *work*.

    None where there was no crash, or no other version is installed that the kernel would take; *narrator* is
    told of either and keeps the record.
    """
    if error.status not in STATUSES and not is_crash(error.details):
        return None
    facts = inspect_host()
    present = facts.handler_for(Architecture.AARCH64)
    if present is None:
        return None
    crashed, others = _told_apart(present, site)
    said = next((line for line in error.details.splitlines() if is_crash(line)), error.brief)
    if not others:
        narrator.notice(f"qemu {crashed} may have crashed, and no other version is installed: {said}")
        return None
    if facts.kernel_version < PRIVATE_HANDLERS:
        narrator.notice(f"qemu {crashed} may have crashed; a second try takes Linux 6.7: {said}")
        return None
    choice = choose_emulator(others[:1], kernel=facts.kernel_version)
    narrator.notice(f"qemu {crashed} may have crashed: once more with {choice.emulator.version}. {said}")
    narrator.crash = EmulatorCrash(said=said, emulator=crashed, second=choice.emulator.version)
    path, flags = Path(choice.emulator.path), choice.flags
    if FRONT.is_file():
        path = work / NAME
        write_interpreter(path, front=FRONT, qemu=Path(choice.emulator.path).resolve())
        flags = sorted_flags(f"{flags}P")
    return aarch64_handler(str(path), flags)


def _told_apart(present: Handler, site: Site) -> tuple[str, list[Emulator]]:
    """Return the version of the qemu that *present* starts, and every usable one of another version."""
    usable = [one for one in find_emulators(str(site.qemu or "")) if one.usable]
    running = [one for one in usable if holds_emulator(Path(present.interpreter), Path(one.path))]
    versions = {one.version for one in running}
    return next(iter(versions), "of unknown version"), [one for one in usable if one.version not in versions]
