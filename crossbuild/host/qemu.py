"""Which qemu programs for aarch64 this host has, and which of them to register with which flags."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CrossbuildError, HostNotReadyError
from crossbuild.host.binfmt import sorted_flags
from crossbuild.host.command import capture
from crossbuild.model.host import leading_version

KNOWN_PLACES = (
    "usr/local/lib/crossbuild/qemu/*/qemu-aarch64*",
    "opt/crossbuild/qemu/*/qemu-aarch64*",
    "usr/local/bin/qemu-aarch64*",
    "usr/bin/qemu-aarch64-static",
    "usr/bin/qemu-aarch64",
    "usr/libexec/qemu-binfmt/aarch64-binfmt-P",
)
"""Below `/`, what an administrator put there before what a package brought."""

PRESERVING_NAME = "-binfmt-P"
"""Debian's qemu reads flag P from how its own name ends (its patch linux-user-binfmt-P.diff)."""

_PT_INTERP = 3


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A qemu program for aarch64."""

    path: str
    version: str
    """As `--version` prints it, empty where it does not run."""
    static: bool
    """Whether it needs no loader and no libraries, which a chroot of another architecture lacks."""

    @property
    def usable(self) -> bool:
        """Whether it can serve as a handler."""
        return self.static and bool(self.version)


@dataclass(frozen=True, kw_only=True)
class EmulatorChoice:
    """The emulator to register, the flags that suit it, and why it was chosen."""

    emulator: Emulator
    flags: str
    reason: str


def find_emulators(configured: str = "", root: Path = Path("/")) -> tuple[Emulator, ...]:
    """Return every qemu for aarch64 in the order of preference: *configured* first, then the known places.

    Two names of one file are one emulator, listed under the first, unless the second changes what it does.
    """
    seen: set[tuple[Path, bool]] = set()
    found = []
    for path in _candidates(configured, root):
        identity = path.resolve(), path.name.endswith(PRESERVING_NAME)
        if identity not in seen and path.is_file() and os.access(path, os.X_OK):
            seen.add(identity)
            found.append(Emulator(path=os.fspath(path), version=_version(path), static=is_static(path)))
    return tuple(found)


def choose_emulator(
    emulators: Sequence[Emulator], *, kernel: tuple[int, int], configured: str = "", credentials: bool = False
) -> EmulatorChoice:
    """Return the first usable one of *emulators*, with flags for a host whose kernel has version *kernel*.

    *configured* is used or refused, never passed over. Raises HostNotReadyError where nothing is usable.
    """
    wanted = [emulator for emulator in emulators if configured in {"", emulator.path}]
    usable = [emulator for emulator in wanted if emulator.usable]
    if not usable:
        raise _nothing_usable(wanted, configured)
    preserving = [emulator for emulator in usable if preserves_argv0(emulator, kernel)]
    emulator = (preserving or usable)[0]
    flags = sorted_flags("OF" + "P" * bool(preserving) + "C" * credentials)
    origin = "it was asked for" if configured else "the first static one that runs"
    argv0 = "keeps argv[0]" if preserving else f"cannot keep argv[0] on Linux {kernel[0]}.{kernel[1]}"
    return EmulatorChoice(
        emulator=emulator, flags=flags, reason=f"qemu {emulator.version}, {origin}; it {argv0}"
    )


def preserves_argv0(emulator: Emulator, kernel: tuple[int, int]) -> bool:
    """Say whether *emulator* under *kernel* notices flag P; if not, P would shift every argument by one.

    qemu 6.0 and later reads AT_FLAGS_PRESERVE_ARGV0, which Linux sets since 5.12.
    """
    told_by_kernel = kernel >= (5, 12) and leading_version(emulator.version) >= (6, 0)
    return emulator.path.endswith(PRESERVING_NAME) or told_by_kernel


def is_static(path: Path) -> bool:
    """Say whether *path* is a 64-bit ELF program without PT_INTERP (ELF gABI, "Program Header")."""
    try:
        with path.open("rb") as file:
            header = file.read(64)
            if header[:5] != b"\x7fELF\x02" or len(header) < 64:
                return False
            (table,) = struct.unpack_from("<Q", header, 32)
            size, count = struct.unpack_from("<HH", header, 54)
            file.seek(table)
            entries = file.read(size * count)
    except OSError:
        return False
    kinds = {struct.unpack_from("<I", entries, at)[0] for at in range(0, len(entries) - 3, size)}
    return bool(kinds) and _PT_INTERP not in kinds


def _candidates(configured: str, root: Path) -> Iterator[Path]:
    if configured:
        yield Path(configured)
    for pattern in KNOWN_PLACES:
        # The newest of several versions side by side comes first.
        yield from sorted(
            root.glob(pattern), key=lambda path: (leading_version(path.parent.name), path.name), reverse=True
        )


def _version(path: Path) -> str:
    """Ask *path* itself; empty where it does not answer as qemu does."""
    # Under the name that stands for flag P, Debian's qemu refuses to be started by anyone but the kernel.
    try:
        answer = capture([os.fspath(path.resolve()), "--version"], check=False).stdout
    except (OSError, CrossbuildError):
        return ""
    match = re.match(r"qemu-aarch64(?:-static)? version (\S+)", answer)
    return match[1] if match else ""


def _nothing_usable(emulators: Sequence[Emulator], configured: str) -> HostNotReadyError:
    found = [
        f"{emulator.path}: " + ("dynamically linked" if emulator.version else "does not run as qemu-aarch64")
        for emulator in emulators
    ]
    return HostNotReadyError(
        f"`{configured}` cannot serve as emulator."
        if configured
        else "No static qemu for aarch64 was found.",
        details="\n".join(found) or "Nothing of that name is there.",
        resolution="Install a statically linked qemu-aarch64 (`crossbuild doctor` names the package), "
        "or give its path with `crossbuild setup --qemu PATH`.",
    )
