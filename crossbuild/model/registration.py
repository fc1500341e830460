"""What registering or taking back will do, decided before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crossbuild.model.receipt import Receipt


class Action(Protocol):
    """One thing that is done to a provisioner; frozen values, whose further fields are the registrar's."""

    @property
    def text(self) -> str:
        """The exact command or request, as a person could type it; no secret is in it."""

    @property
    def reason(self) -> str:
        """Why, as a sentence."""


@dataclass(frozen=True, kw_only=True)
class RegistrationPlan:
    """What will be done to register one artifact set, in this order."""

    actions: tuple[Action, ...]
    """None where all is registered already."""
    receipt: Receipt
    """What is recorded as unfinished before the first action, enough to take back all of them."""
    notes: tuple[str, ...] = ()
    """What the administrator should know: whole sentences."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """Something of a receipt that is not taken back."""

    what: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class UndoPlan:
    """What will be done to take back one receipt, in this order."""

    receipt: Receipt
    actions: tuple[Action, ...]
    left: tuple[Left, ...] = ()
    """What somebody changed or uses since, and so stays."""
