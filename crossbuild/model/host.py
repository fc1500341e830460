"""This host as the rest of crossbuild sees it: what was found, and what was checked."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.architecture import Architecture


class OsFamily(enum.StrEnum):
    """Distributions that share a package manager and package names."""

    DEBIAN = "debian"
    EL = "el"
    SUSE = "suse"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class OperatingSystem:
    """What os-release(5) says; *id* and *version* are its `ID` and `VERSION_ID`."""

    id: str
    version: str
    family: OsFamily


@dataclass(frozen=True, kw_only=True)
class Handler:
    """One entry of binfmt_misc (Linux, Documentation/admin-guide/binfmt-misc.rst)."""

    name: str
    interpreter: str
    flags: str
    """A subset of `POCF`, in the order in which the kernel prints them."""
    offset: int
    magic: bytes
    mask: bytes
    """As long as *magic*; a bit that is 0 is not compared."""
    enabled: bool = True

    def serves(self, arch: Architecture) -> bool:
        """Say whether it takes the executables of *arch*, whether enabled or not."""
        header = elf_header(arch)[self.offset : self.offset + len(self.magic)]
        wanted = zip(header, self.magic, self.mask, strict=False)
        return len(header) == len(self.magic) > 0 and all((a ^ b) & mask == 0 for a, b, mask in wanted)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A container engine; *reason* says why it does not answer and is empty where it does."""

    name: str
    """`docker` or `podman`."""
    client: str
    """Path of its command, empty where it is not installed."""
    socket: str
    reason: str

    @property
    def reachable(self) -> bool:
        """Whether its API answered."""
        return not self.reason


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that crossbuild writes to, and the file system that holds it or will hold it."""

    path: Path
    existing: Path
    """*path*, or the nearest folder above it that exists."""
    filesystem: str
    """Type as in mountinfo: `ext4`, `nfs4`."""
    free: int
    """Bytes that this process may still use there."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that was found on this host."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """What is known about this host; nothing of it was changed to learn it."""

    machine: str
    """As `uname -m` spells it."""
    kernel: str
    """The release, as `uname -r` prints it."""
    system: OperatingSystem
    systemd: bool
    """Whether systemd is the init system that runs here."""
    root: bool
    """Whether this process runs as root."""
    binfmt_mounted: bool
    handlers: tuple[Handler, ...]
    tools: tuple[Tool, ...]
    engines: tuple[Engine, ...]
    places: tuple[Place, ...]
    private: bool = False
    """Whether this process became root in a private namespace, as for builds of ordinary users."""

    def handler_for(self, arch: Architecture) -> Handler | None:
        """Return an enabled handler of *arch*, crossbuild's own before others; None where none is."""
        serving = [handler for handler in self.handlers if handler.enabled and handler.serves(arch)]
        return min(serving, key=lambda handler: handler.name != f"crossbuild-{arch}", default=None)

    def native(self, arch: Architecture) -> bool:
        """Say whether this host's processors run programs of *arch* themselves."""
        return self.machine == arch.value

    def tool(self, name: str) -> str | None:
        """Return the path of the program *name*, None where it was not found."""
        return next((tool.path for tool in self.tools if tool.name == name), None)

    @property
    def kernel_version(self) -> tuple[int, int]:
        """Return the first two numbers of the kernel's release."""
        return leading_version(self.kernel)


class Status(enum.StrEnum):
    """The outcome of one check."""

    OK = "ok"
    WARNING = "warning"
    """Builds can run, but not everything works."""
    FAILED = "failed"
    """Builds cannot run."""
    SKIPPED = "skipped"
    """Nothing is known; the check says why."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was tried on this host, what came out, and the command that mends it."""

    name: str
    status: Status
    brief: str
    details: str = ""
    remedy: str = ""


def can_build(checks: tuple[Check, ...]) -> bool:
    """Say whether none of *checks* forbids a build."""
    return all(check.status is not Status.FAILED for check in checks)


def elf_header(arch: Architecture) -> bytes:
    """Return the first 20 bytes of an executable of *arch* (ELF gABI, "ELF Header": up to `e_machine`)."""
    return (
        b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + arch.elf_machine.to_bytes(2, "little")
    )


def leading_version(text: str) -> tuple[int, int]:
    """Return the first two numbers of a version such as `6.1.0-25-amd64`; what is missing counts as 0."""
    major, _, rest = text.partition(".")
    minor = "".join(character if character.isdecimal() else " " for character in rest).split(" ")[0]
    return int(major) if major.isdecimal() else 0, int(minor) if minor else 0
