"""What must be there for programs to start: their loader, a shell, and init."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from crossbuild.verification.findings import Complaint
from crossbuild.verification.scan import Scan

INIT = PurePosixPath("/sbin/init")
SHELL = PurePosixPath("/bin/sh")


def check_loaders(scan: Scan) -> Iterator[Complaint]:
    """Yield programs whose loader (PT_INTERP) is not in the root or is for another architecture."""
    loaders: dict[str, str] = {}
    for path, elf in scan.objects.items():
        if not elf.interpreter or scan.native(path) is None:
            continue
        if elf.interpreter not in loaders:
            loaders[elf.interpreter] = _wrong_program(scan, PurePosixPath(elf.interpreter))
        if wrong := loaders[elf.interpreter]:
            yield path, f"cannot start: its loader {elf.interpreter} {wrong}"


def check_shell(scan: Scan) -> Iterator[Complaint]:
    """Yield /bin/sh unless it leads to a program of the root's architecture."""
    if wrong := _wrong_program(scan, SHELL):
        yield SHELL, wrong


def check_init(scan: Scan) -> Iterator[Complaint]:
    """Yield /sbin/init unless it leads to a program; a root without a kernel may do without it.

    An absolute link is fine: the nodes resolve it in the image, and so does crossbuild.
    """
    absent_is_fine = scan.kernel is None and not (scan.root.path / "sbin/init").is_symlink()
    if absent_is_fine and scan.real(INIT) not in scan.files:
        return
    if wrong := _wrong_program(scan, INIT):
        yield INIT, wrong


def _wrong_program(scan: Scan, path: PurePosixPath) -> str:
    """Return why *path* does not lead to a program of the root's architecture, empty if it does."""
    real = scan.real(path)
    via = "" if real == path else f" (by its link to {real})"
    if real not in scan.files:
        return f"is not in the root{via}"
    if scan.native(real) is None:
        found = scan.headers.get(real)
        return f"is {f'for {found.machine_name}' if found else 'no program'}{via}, not for {scan.root.arch}"
    return "" if scan.is_executable(real) else f"may be executed by nobody{via}"
