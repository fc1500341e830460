"""Every ELF file is for the architecture of the root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from crossbuild.formats.elf import MACHINE_BPF, ElfHeader
from crossbuild.model.architecture import Architecture
from crossbuild.verification.findings import Complaint
from crossbuild.verification.scan import Scan

DATA_FOLDERS = ("usr/lib/firmware/", "lib/firmware/", "usr/share/")
"""Below these a file is data: for processors on devices, for guests, for tests. Nodes do not execute it."""
_I386 = 3


def check_machines(scan: Scan) -> Iterator[Complaint]:
    """Yield ELF files for another architecture, and those that are damaged."""
    for path, header in scan.headers.items():
        if wrong := wrong_machine(path, header, scan.root.arch):
            yield path, wrong
    for path, reason in scan.damaged.items():
        if not is_data(path):
            yield path, f"is a damaged ELF file: {reason}"


def wrong_machine(path: PurePosixPath, header: ElfHeader, arch: Architecture) -> str:
    """Return what is wrong with an ELF file that lies at *path* in an image for *arch*, empty if nothing is.

    Where files are data, only those for x86 are wrong: they can have come from the build host.
    """
    x86 = header.machine in {Architecture.X86_64.elf_machine, _I386}
    if header.is_for(arch) or header.machine == MACHINE_BPF or (is_data(path) and not x86):
        return ""
    return f"is for {header.machine_name}, not for {arch}"


def is_data(path: PurePosixPath) -> bool:
    """Whether *path*, absolute in an image or in a Warewulf 3 bootstrap, lies where nothing is executed."""
    return str(path).removeprefix("/").removeprefix("initramfs/").startswith(DATA_FOLDERS)
