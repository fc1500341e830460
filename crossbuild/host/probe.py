"""Proves that aarch64 programs run here, by running one that crossbuild makes itself.

The program prints what it sees of itself, one `name=value` per line, and ends with a status of its own.
System call numbers: Linux, include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CrossbuildError, HostNotReadyError, StorageError
from crossbuild.formats.aarch64 import assemble
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture

STATUS = 42
"""What the program ends with: neither a shell's nor qemu's own."""
NOBODY = 65534
"""User and group id of an ordinary user who owns nothing."""
PROGRAM_NAME = "crossbuild-probe"

PRINTING = r"""
number:                     # prints x0 in decimal
    movz x3, 10
    add x1, sp, 511
    strb xzr, x1, 0
digit:
    udiv x4, x0, x3
    msub x5, x4, x3, x0
    add x5, x5, 48
    sub x1, x1, 1
    strb x5, x1, 0
    mov x0, x4
    cbnz x0, digit
print:                      # prints the text at x1 up to its NUL
    movz x2, 0
length:
    ldrb x3, x1, x2
    cbz x3, write
    add x2, x2, 1
    b length
write:
    movz x0, 1              # standard output
    movz x8, 64             # write
    svc
    ret
"""
"""Subroutines `print` and `number`; they need 512 bytes at sp."""

SOURCE = rf"""
    ldr x20, sp, 0          # argc
    ldr x19, sp, 8          # argv[0]
    sub sp, sp, 512         # struct utsname below, digits of numbers above
    page x1
    low x1, argc
    bl print
    mov x0, x20
    bl number
    page x1
    low x1, argv0
    bl print
    mov x1, x19
    bl print
    page x1
    low x1, uid
    bl print
    movz x8, 174            # getuid
    svc
    bl number
    page x1
    low x1, euid
    bl print
    movz x8, 175            # geteuid
    svc
    bl number
    page x1
    low x1, machine
    bl print
    add x0, sp, 0
    movz x8, 160            # uname
    svc
    add x1, sp, 260         # its fifth field, each is 65 bytes long
    bl print
    page x1
    low x1, end
    bl print
    movz x0, 42
    movz x8, 93             # exit
    svc
{PRINTING}
argc:
    text "argc="
argv0:
    text "\nargv0="
uid:
    text "\nuid="
euid:
    text "\neuid="
machine:
    text "\nmachine="
end:
    text "\n"
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run of the program gave; *reason* says why it did not run and is empty where it did."""

    reason: str = ""
    argc: int = 0
    argv0: str = ""
    uid: int = -1
    euid: int = -1
    machine: str = ""


@dataclass(frozen=True, kw_only=True)
class EmulationProof:
    """That aarch64 programs ran here, and what the running program was told about the machine."""

    machine: str
    chroot: bool
    """Whether it also ran in a bare chroot, which only root can try."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The program, alone in a folder of its own."""

    path: Path

    def run(self, argv: Sequence[str] = ()) -> Outcome:
        """Run it on this host as *argv*; argv[0] may be anything."""
        return _outcome(argv or [os.fspath(self.path)], executable=os.fspath(self.path))

    def run_in_chroot(self) -> Outcome:
        """Run it with its folder for `/`, where nothing else is; needs root."""
        return _outcome(["chroot", os.fspath(self.path.parent), f"/{self.path.name}"])

    def run_set_uid(self) -> Outcome:
        """Run it as an ordinary user from a file that is set-uid root; needs root."""
        with _storage(self.path):
            self.path.chmod(0o4755)
        become_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
        try:
            return _outcome([*become_nobody, os.fspath(self.path)])
        finally:
            self.path.chmod(0o755)


@contextlib.contextmanager
def probe_in(directory: Path) -> Iterator[Probe]:
    """Yield the program in a folder made below *directory*; raise StorageError where it cannot be written."""
    with programs_in(directory, {PROGRAM_NAME: SOURCE}) as folder:
        yield Probe(path=folder / PROGRAM_NAME)


@contextlib.contextmanager
def programs_in(directory: Path, sources: Mapping[str, str]) -> Iterator[Path]:
    """Yield a folder made below *directory* with the programs of *sources*, by name; raise StorageError."""
    with contextlib.ExitStack() as folders:
        with _storage(directory):
            scratch = tempfile.TemporaryDirectory(prefix=".crossbuild-probe-", dir=directory)
            folder = Path(folders.enter_context(scratch))
            folder.chmod(0o755)
            for name, source in sources.items():
                program = folder / name
                program.write_bytes(assemble(source))
                program.chmod(0o755)
        yield folder


def prove_emulation(directory: Path) -> EmulationProof:
    """Run an aarch64 program from *directory*, and as root also in a bare chroot there.

    Raises HostNotReadyError, whose resolution names the command that mends it.
    """
    chroot = os.geteuid() == 0
    with probe_in(directory) as probe:
        outcome = probe.run()
        if not outcome.reason and chroot:
            outcome = probe.run_in_chroot()
            if outcome.reason:
                raise _unproved("This host cannot run aarch64 programs in a chroot.", outcome.reason)
    if outcome.reason:
        raise _unproved("This host cannot run aarch64 programs.", outcome.reason)
    return EmulationProof(machine=outcome.machine, chroot=chroot)


def parse_outcome(stdout: str, status: int) -> Outcome:
    """Read what the program printed and ended with."""
    values = dict(line.split("=", 1) for line in stdout.splitlines() if "=" in line)
    if status != STATUS or not {"argc", "argv0", "uid", "euid", "machine"} <= values.keys():
        return Outcome(reason=f"It ended with status {status} instead of {STATUS}.")
    if values["machine"] != Architecture.AARCH64:
        return Outcome(reason=f"It was told that this machine is {values['machine']}.")
    numbers = {name: values[name] for name in ("argc", "uid", "euid")}
    if not all(number.isdecimal() for number in numbers.values()):
        return Outcome(reason=f"It computes wrongly: its numbers are {numbers}.")
    return Outcome(
        argc=int(values["argc"]),
        argv0=values["argv0"],
        uid=int(values["uid"]),
        euid=int(values["euid"]),
        machine=values["machine"],
    )


def _outcome(argv: Sequence[str], executable: str | None = None) -> Outcome:
    try:
        result = capture(argv, check=False, executable=executable)
    except OSError as error:
        return Outcome(reason=f"{error.strerror}.")
    except CrossbuildError:
        # The file itself is there, so what the kernel did not find is the interpreter.
        return Outcome(reason="The interpreter of its handler was not found.")
    outcome = parse_outcome(result.stdout, result.status)
    complaint = result.stderr.strip()
    return Outcome(reason=complaint) if outcome.reason and complaint else outcome


def _unproved(brief: str, reason: str) -> HostNotReadyError:
    return HostNotReadyError(
        brief,
        details=f"A test program did not run: {reason}",
        resolution="Run `sudo crossbuild setup`; `sudo crossbuild doctor` shows what is wrong.",
    )


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"A test program cannot be written to {path}.",
            details=str(error),
            resolution="Free space there, or choose another folder.",
        ) from error
