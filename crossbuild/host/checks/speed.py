"""Whether builds can be accelerated; without it they give the same images, only later."""

from __future__ import annotations

from pathlib import Path

from crossbuild.acceleration.build import FRONT
from crossbuild.host.binfmt import is_outdated
from crossbuild.host.interpreter import NAME, holds_front
from crossbuild.host.requirements import install_command, package_for
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Check, HostFacts, Status

SETUP = "sudo crossbuild setup"
OTHER_VERSION = "the handler was registered by another version of crossbuild"


def speed_check(facts: HostFacts) -> Check:
    """Judge what acceleration needs: the compiled program, patchelf, and the handler that setup registers."""
    handler = facts.handler_for(Architecture.AARCH64)
    if facts.native(Architecture.AARCH64):
        return Check(name="speed", status=Status.OK, brief="Nothing is emulated here.")
    if not FRONT.is_file():
        lack = "this crossbuild was installed where no C compiler was"
        remedy = _install(facts, "cc") + ", then install crossbuild again and run `sudo crossbuild setup`"
    elif not facts.tool("patchelf"):
        lack, remedy = "patchelf is not installed", _install(facts, "patchelf")
    elif handler is None or not handler.interpreter.endswith(NAME):
        lack, remedy = "the handler of aarch64 programs is plain qemu", SETUP
    elif not holds_front(Path(handler.interpreter), FRONT) or is_outdated(handler):
        lack, remedy = OTHER_VERSION, SETUP
    else:
        brief = "Builds are accelerated: programs run natively where that makes no difference."
        return Check(name="speed", status=Status.OK, brief=brief)
    return Check(
        name="speed", status=Status.WARNING, brief=f"Builds are not accelerated: {lack}.", remedy=remedy
    )


def _install(facts: HostFacts, program: str) -> str:
    family = facts.system.family.value
    return install_command(family, tuple(package_for(program, family).split())) or f"Install {program}"
