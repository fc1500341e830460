"""Whether the handler runs the qemu that it should: the configured one, and as it is installed now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossbuild.host.binfmt import HANDLER_NAME, MOUNT_POINT, first_asked, is_outdated
from crossbuild.host.interpreter import holds_emulator
from crossbuild.host.qemu import Emulator
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Check, Handler, HostFacts, Status

NAME = "qemu in use"


def choice_check(
    emulators: Sequence[Emulator], facts: HostFacts, configured: str = "", mount_point: Path = MOUNT_POINT
) -> Check:
    """Judge which of *emulators* the handler runs; *configured* is the one that it must run, if any."""
    chosen = next((emulator for emulator in emulators if emulator.path == configured), None)
    if configured and not (chosen and chosen.usable):
        return _unusable(configured, chosen)
    handler = first_asked(facts.handlers, Architecture.AARCH64, mount_point)
    if handler is None:
        return Check(name=NAME, status=Status.SKIPPED, brief="No handler runs any qemu.")
    if handler.name != HANDLER_NAME and any(
        entry.name == HANDLER_NAME and entry.enabled for entry in facts.handlers
    ):
        return _outranked(handler)
    wanted = [chosen] if chosen else [emulator for emulator in emulators if emulator.usable]
    held = next(
        (entry for entry in wanted if holds_emulator(Path(handler.interpreter), Path(entry.path))), None
    )
    return judge_choice(handler, held, configured, outdated=is_outdated(handler, mount_point))


def judge_choice(handler: Handler, held: Emulator | None, configured: str, *, outdated: bool) -> Check:
    """Judge *handler*, which holds *held* of those that it may; *outdated*: its file was replaced since."""
    name = f"`{handler.name}`"
    if held and not outdated:
        origin = "as the configuration says" if configured else "the configuration names none"
        brief = f"{name} runs qemu {held.version} of {held.path}; {origin}."
        return Check(name=NAME, status=Status.OK, brief=brief)
    if held:
        brief = f"{name} still runs what {handler.interpreter} was before it was replaced."
    elif configured:
        brief = f"{name} runs another qemu than {configured}, which the configuration names."
    elif handler.name == HANDLER_NAME:
        brief = f"{name} runs a qemu that is no longer installed: it was upgraded or removed since."
    else:
        brief = f"{name} of another owner runs aarch64 programs, with none of the qemu programs found here."
    remedy = f"sudo crossbuild setup --qemu {configured}" if configured else "sudo crossbuild setup"
    return Check(name=NAME, status=Status.WARNING, brief=brief, remedy=remedy)


def _outranked(handler: Handler) -> Check:
    return Check(
        name=NAME,
        status=Status.WARNING,
        brief=f"`{handler.name}` was registered after `{HANDLER_NAME}` and runs aarch64 programs instead.",
        details="Builds are not accelerated then, and run whatever qemu that handler holds.",
        remedy="sudo crossbuild setup",
    )


def _unusable(configured: str, emulator: Emulator | None) -> Check:
    if emulator is None:
        fault = "no program is there"
    elif not emulator.version:
        fault = "it does not run as qemu-aarch64"
    else:
        fault = "it is dynamically linked"
    return Check(
        name=NAME,
        status=Status.WARNING,
        brief=f"The configuration names {configured}, which cannot serve: {fault}.",
        details="`crossbuild setup` refuses it, and takes no other.",
        remedy="Install a static qemu-aarch64 there, or change `qemu` in the configuration",
    )
