"""What came of starting an artifact set in an emulated machine."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from crossbuild.model.artifact import OutputKind
from crossbuild.model.spec import CheckFile


class Verdict(enum.StrEnum):
    """What one boot proved."""

    BOOTED = "booted"
    """The default target was reached, and no check failed."""
    FAILED = "failed"


class CheckResult(enum.StrEnum):
    """What one check found."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be done, and *found* says why."""


class Stage(enum.StrEnum):
    """How far a machine came, in this order; not every way has every stage."""

    KERNEL = "kernel"
    """The kernel wrote its first line."""
    INITRAMFS = "initramfs"
    """The kernel started the first program of the initramfs."""
    FETCH = "fetch"
    """The machine asked the server for its image."""
    UNPACK = "unpack"
    """The image was in place in memory."""
    SWITCH = "switch"
    """The image's own init was about to start."""
    TARGET = "target"
    """The default target of the image was reached."""


@dataclass(frozen=True, kw_only=True)
class StageReached:
    """A stage, and how many seconds after power on it was reached."""

    stage: Stage
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BootCheck:
    """One thing that was looked at inside the running machine."""

    check: str
    result: CheckResult
    found: str


@dataclass(frozen=True, kw_only=True)
class BootRecord:
    """The outcome of one boot; docs/reference/boot-record.md describes its file."""

    way: OutputKind
    verdict: Verdict
    reason: str | None
    """Why it failed, as a sentence; None for what booted."""
    at: str
    """When, in UTC, as RFC 3339 writes it."""
    seconds: float
    """From power on to the verdict."""
    memory_bytes: int
    emulator: str
    """With its version and how it ran: `qemu-system-aarch64 7.2.22 (TCG)`."""
    image_digest: str
    """SHA-256 of the set's `image.json`, which names every file of the set."""
    stages: tuple[StageReached, ...]
    checks: tuple[BootCheck, ...]
    lines: tuple[str, ...] = ()
    """Of the console, those that matter for what failed."""
    console: str = ""
    """The file beside the record that has everything which the machine wrote."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an image must show when it runs, from the record of its set."""

    architecture: str
    kernel: str
    """Its release; empty where the record does not tell."""
    services: tuple[str, ...] = ()
    capabilities: tuple[tuple[str, bytes], ...] = ()
    """Path and value of `security.capability`."""
    accounts: tuple[tuple[str, int, int, str], ...] = ()
    """Name, user id, group id and name of the group."""
    commands: tuple[str, ...] = ()
    tests: tuple[CheckFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BootWish:
    """How a boot was asked for."""

    memory: int = 0
    """Bytes; 0 for what the image needs."""
    timeout: float = 600.0
    """Seconds from power on after which a machine that still does nothing wrong has failed."""
    shell: bool = False
    """Whether a root shell on the console stays open after the verdict."""
    pub: bool = False
    """Whether the exported tree is mounted, too."""


@dataclass(kw_only=True)
class Observed:
    """What a machine told of itself, as it came."""

    stages: list[StageReached] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    """What the probe found: a word and what follows it."""
    failure: str = ""
    """Why the boot cannot succeed any more; empty as long as it can."""
    ended: bool = False
    """Whether the probe had nothing more to tell."""
