"""How a value that a registration changed stands now, so that only what is still so is set back."""

from __future__ import annotations

import enum

from crossbuild.model.receipt import ChangedValue
from crossbuild.model.registration import Left


class Standing(enum.Enum):
    """What has become of a changed value."""

    CHANGED = enum.auto()
    """It is as the registration left it."""
    BEFORE = enum.auto()
    """It is as it was before: the change never came about, or is taken back."""
    FOREIGN = enum.auto()
    """Somebody changed it since."""


def standing(change: ChangedValue, current: str) -> Standing:
    """Return how *change* stands where its value is *current* now."""
    if current == change.after:
        return Standing.CHANGED
    return Standing.BEFORE if current == change.before else Standing.FOREIGN


def left_as_foreign(change: ChangedValue, current: str) -> Left:
    """Return why *change* is not taken back."""
    return Left(
        what=f"{change.key} of {change.kind} {change.name}",
        reason=f"Somebody made it `{current or 'unset'}` since.",
    )
