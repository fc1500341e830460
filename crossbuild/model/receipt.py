"""Receipts: what was registered where, as the provisioner itself told it afterwards."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind


class ReceiptState(enum.StrEnum):
    """How far a registration came."""

    UNFINISHED = "unfinished"
    """It runs, or was killed: what the receipt lists may be there or not."""
    REGISTERED = "registered"
    """Everything was read back."""
    UNDONE = "undone"
    """It was taken back."""


@dataclass(frozen=True, kw_only=True)
class RegisteredObject:
    """Something that the provisioner holds, told apart by *kind* and *name*, or by *id* where it has one."""

    kind: str
    """As the provisioner calls it: `bootstrap`, `vnfs`, `image`, `overlay`, `object`."""
    name: str
    id: str = ""
    """What the provisioner gave it; empty before it did, and where it gives none."""
    arch: Architecture | None = None
    """As read back; None where the provisioner keeps none for it."""
    checksum: str = ""
    """As read back, behind its kind: `md5:…`, `sha256:…`; empty where the provisioner tells none."""
    place: str = ""
    """Where its bytes lie: a path on the provisioner's host, or a URL."""
    made: bool = True
    """Whether this registration made it: what was there before stays when it is taken back."""


@dataclass(frozen=True, kw_only=True)
class ChangedValue:
    """A value of something that was there before, such as a node."""

    kind: str
    name: str
    key: str
    before: str
    """Empty where it had none."""
    after: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What one registration did to one provisioner; docs/reference/receipts.md describes its file."""

    provisioner: OutputKind
    state: ReceiptState
    name: str
    """What the image is called there."""
    place: str
    """The provisioner's host, or the address of its service."""
    version: str
    """What the provisioner says of its own version; empty where it says nothing."""
    image: str
    """The name of the artifact set."""
    record: str
    """SHA-256 of the set's `image.json` when it was registered."""
    registered: str
    """When, in UTC, as RFC 3339 writes it; empty until it was read back."""
    objects: tuple[RegisteredObject, ...] = ()
    """In the order in which they came about."""
    changes: tuple[ChangedValue, ...] = ()
    """In the order in which they were made."""
