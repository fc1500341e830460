"""Whether aarch64 programs run on this host: not what the flags say, but what a program sees."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crossbuild.errors import CrossbuildError
from crossbuild.host.binfmt import HANDLER_NAME
from crossbuild.host.checks.choice import choice_check
from crossbuild.host.probe import NOBODY, Outcome, Probe, probe_in
from crossbuild.host.qemu import Emulator, find_emulators
from crossbuild.host.requirements import EMULATOR, install_command, package_for
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Check, Handler, HostFacts, Status

ARM = Architecture.AARCH64
SETUP = "sudo crossbuild setup"
ODD_ARGV = ("crossbuild argv[0] probe", "argument")
BINFMT_FOLDERS = tuple(
    map(Path, ("/etc/binfmt.d", "/run/binfmt.d", "/usr/local/lib/binfmt.d", "/usr/lib/binfmt.d"))
)
"""Where systemd-binfmt looks for handlers (binfmt.d(5))."""


def emulation_checks(facts: HostFacts, qemu: str = "") -> Iterator[Check]:
    """Try everything that an aarch64 program may meet here; *qemu* is a configured emulator."""
    handler = facts.handler_for(ARM)
    if not facts.native(ARM):
        emulators = find_emulators(qemu)
        yield emulator_check(emulators, facts)
        yield handler_check(facts)
        yield choice_check(emulators, facts, qemu)
        yield from (rival_check(rival) for rival in rivals(facts))
    try:
        with probe_in(probe_folder()) as probe:
            yield from _probe_checks(probe, handler, root=facts.root)
    except CrossbuildError as error:
        yield Check(
            name="run",
            status=Status.FAILED,
            brief=error.brief,
            details=error.details,
            remedy=error.resolution,
        )


def emulator_check(emulators: tuple[Emulator, ...], facts: HostFacts) -> Check:
    """Judge which qemu programs there are; a handler may hold one that is gone, but not after a restart."""
    found = "\n".join(
        f"{emulator.path}: {emulator.version or 'does not run'}{'' if emulator.static else ', not static'}"
        for emulator in emulators
    )
    usable = next((emulator for emulator in emulators if emulator.usable), None)
    if usable:
        brief = f"qemu {usable.version} at {usable.path} is statically linked."
        return Check(name="qemu", status=Status.OK, brief=brief, details=found)
    family = facts.system.family.value
    package = package_for(EMULATOR, family)
    return Check(
        name="qemu",
        status=Status.WARNING if facts.handler_for(ARM) else Status.FAILED,
        brief="No static qemu for aarch64 was found.",
        details=found,
        remedy=install_command(family, (package,) if package else ())
        or "Install a static qemu-aarch64, then `sudo crossbuild setup --qemu PATH`",
    )


def handler_check(facts: HostFacts) -> Check:
    """Judge whether the kernel has a handler for aarch64 programs, and has it again after a restart."""
    handler = facts.handler_for(ARM)
    if not facts.binfmt_mounted or handler is None:
        missing = (
            "binfmt_misc is not mounted" if not facts.binfmt_mounted else "no enabled handler takes them"
        )
        brief = f"The kernel knows no way to run aarch64 programs: {missing}."
        return Check(name="handler", status=Status.FAILED, brief=brief, remedy=SETUP)
    brief = (
        f"`{handler.name}` runs aarch64 programs with {handler.interpreter}, flags {handler.flags or 'none'}."
    )
    if facts.private:
        details = "It is there for this process alone and leaves with it: nothing is registered on the host."
        return Check(name="handler", status=Status.OK, brief=brief, details=details)
    if not any(_describes(folder, handler.name) for folder in BINFMT_FOLDERS):
        details = f"No file in {BINFMT_FOLDERS[0]} describes it: after the next restart it is gone."
        return Check(name="handler", status=Status.WARNING, brief=brief, details=details, remedy=SETUP)
    details = (
        "" if facts.systemd else "systemd does not run here: run `crossbuild setup` again after each restart."
    )
    return Check(name="handler", status=Status.OK, brief=brief, details=details)


def rivals(facts: HostFacts) -> tuple[Handler, ...]:
    """Return the handlers of others that take aarch64 programs, too."""
    return tuple(entry for entry in facts.handlers if entry.serves(ARM) and entry.name != HANDLER_NAME)


def rival_check(handler: Handler) -> Check:
    """Judge a handler of another owner, which crossbuild leaves as it is."""
    faults = [
        fault
        for wrong, fault in (
            (not handler.enabled, "It is disabled."),
            ("F" not in handler.flags, "Without flag F it fails in chroots and containers that lack qemu."),
            ("C" in handler.flags, "With flag C any user who reaches a set-uid aarch64 file becomes root."),
            (not Path(handler.interpreter).exists(), f"Its interpreter {handler.interpreter} is missing."),
        )
        if wrong
    ]
    name = f"handler {handler.name}"
    flags = f"flags {handler.flags or 'none'}"
    if not faults:
        brief = f"`{handler.name}` of another owner takes aarch64 programs ({flags}); it is sound."
        return Check(name=name, status=Status.OK, brief=brief)
    return Check(
        name=name,
        status=Status.WARNING,
        brief=f"`{handler.name}` of another owner takes aarch64 programs ({flags}), and is not sound.",
        details="\n".join([*faults, "Where two match, the kernel prefers the one that was registered last."]),
        remedy=f"echo -1 | sudo tee /proc/sys/fs/binfmt_misc/{handler.name}",
    )


def judge_run(outcome: Outcome) -> Check:
    """Judge a run on this host."""
    if outcome.reason:
        brief = "This host does not run aarch64 programs."
        return Check(name="run", status=Status.FAILED, brief=brief, details=outcome.reason, remedy=SETUP)
    return Check(name="run", status=Status.OK, brief="An aarch64 program runs on this host.")


def judge_argv0(outcome: Outcome) -> Check:
    """Judge a run as ODD_ARGV."""
    if outcome.reason:
        return _untried("argv0", outcome)
    if (outcome.argv0, outcome.argc) == (ODD_ARGV[0], len(ODD_ARGV)):
        return Check(
            name="argv0", status=Status.OK, brief="argv[0] and the number of arguments arrive unchanged."
        )
    lost = outcome.argc != len(ODD_ARGV)
    return Check(
        name="argv0",
        # One argument too many or too few breaks every program; another argv[0] only a few.
        status=Status.FAILED if lost else Status.WARNING,
        brief="The arguments of aarch64 programs are shifted."
        if lost
        else "argv[0] of aarch64 programs is lost.",
        details=f"Started as {ODD_ARGV[0]!r}, the program saw {outcome.argv0!r} and {outcome.argc} arguments "
        f"instead of {len(ODD_ARGV)}. Flag P of the handler and its qemu do not agree.",
        remedy=SETUP,
    )


def judge_chroot(outcome: Outcome) -> Check:
    """Judge a run in a bare chroot."""
    if outcome.reason:
        brief = "No aarch64 program runs in a chroot."
        details = f"{outcome.reason}\nWithout flag F the kernel looks for qemu inside the chroot."
        return Check(name="chroot", status=Status.FAILED, brief=brief, details=details, remedy=SETUP)
    return Check(name="chroot", status=Status.OK, brief="An aarch64 program runs in a bare chroot.")


def judge_set_uid(outcome: Outcome, handler: Handler | None, *, nosuid: bool) -> Check:
    """Judge a run as an ordinary user from a set-uid root file, against what *handler* promises.

    It must gain root exactly where flag C was asked for: see docs/explanation/emulation.md.
    """
    if outcome.reason:
        return _untried("setuid", outcome)
    promised, gained = handler is not None and "C" in handler.flags, outcome.euid == 0
    if gained and handler and handler.name == HANDLER_NAME and promised:
        brief = "A set-uid program gains its owner's identity, as flag C asks for."
        return Check(name="setuid", status=Status.OK, brief=brief, details=_DANGER)
    if gained:
        brief = "A set-uid program gains root through a handler that crossbuild did not set up."
        return Check(name="setuid", status=Status.WARNING, brief=brief, details=_DANGER, remedy=SETUP)
    if promised:
        cause = "The folder is mounted nosuid." if nosuid else "Another handler was registered later."
        brief = (
            f"A set-uid program does not gain its owner's identity (euid {outcome.euid}) in spite of flag C."
        )
        remedy = "mount -o remount,suid FOLDER" if nosuid else f"{SETUP} --credentials"
        return Check(name="setuid", status=Status.WARNING, brief=brief, details=cause, remedy=remedy)
    return Check(
        name="setuid",
        status=Status.OK,
        brief=f"A set-uid program keeps its caller's identity (euid {outcome.euid}): flag C is off.",
        details="Builds do not need it; `sudo` and `su` of ordinary users inside a root do. "
        f"`{SETUP} --credentials` turns it on. {_DANGER}",
    )


_DANGER = (
    "With flag C qemu itself runs as root and obeys its caller's QEMU_* variables: whoever can execute "
    "a set-uid aarch64 file can become root."
)


def probe_folder() -> Path:
    """Return a folder for the probes, where possible one whose mount allows programs and set-uid files."""
    candidates = (Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/var/lib"))  # noqa: S108  private folder inside
    forbidding = os.ST_NOSUID | os.ST_NOEXEC
    fitting = (
        folder
        for folder in candidates
        if os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & forbidding
    )
    return next(fitting, candidates[0])


def _probe_checks(probe: Probe, handler: Handler | None, *, root: bool) -> Iterator[Check]:
    yield judge_run(probe.run())
    yield judge_argv0(probe.run(ODD_ARGV))
    if not root:
        for name in ("chroot", "setuid"):
            brief = "Only root can try this."
            yield Check(name=name, status=Status.SKIPPED, brief=brief, remedy="sudo crossbuild doctor")
        return
    yield judge_chroot(probe.run_in_chroot())
    nosuid = bool(os.statvfs(probe.path).f_flag & os.ST_NOSUID)
    yield judge_set_uid(probe.run_set_uid(), handler, nosuid=nosuid)


def _untried(name: str, outcome: Outcome) -> Check:
    brief = f"This could not be tried as user {NOBODY}." if name == "setuid" else "This could not be tried."
    return Check(name=name, status=Status.WARNING, brief=brief, details=outcome.reason, remedy=SETUP)


def _describes(folder: Path, name: str) -> bool:
    """Say whether a file of *folder* holds the handler called *name*."""
    try:
        return any(f":{name}:" in file.read_text(errors="replace") for file in folder.glob("*.conf"))
    except OSError:
        return False
