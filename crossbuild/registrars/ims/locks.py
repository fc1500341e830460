"""Locks of the Hardware State Manager: a locked node is neither booted nor switched off by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossbuild.errors import ProvisionerError, UsageError
from crossbuild.registrars.ims.gateway import Gateway
from crossbuild.registrars.ims.nodes import XNAME


@dataclass(frozen=True, kw_only=True)
class LockState:
    """How HSM holds a component."""

    xname: str
    locked: bool
    reserved: bool
    reservation_disabled: bool


class Locks:
    """The locks of one system, reached by its gateway's URL."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self._gateway = gateway
        self._url = f"{url}/smd/hsm/v2/locks"

    def set(self, names: Sequence[str], *, locked: bool) -> tuple[LockState, ...]:
        """Lock or unlock the nodes *names*, all or none of them, and return their states as read back.

        A node that is so already is passed over: HSM refuses to lock what is locked.
        """
        others = [state.xname for state in self.status(names) if state.locked != locked]
        if others:
            verb = "lock" if locked else "unlock"
            self._gateway.post(f"{self._url}/{verb}", {"ComponentIDs": others, "ProcessingModel": "rigid"})
        states = self.status(names)
        wrong = [state.xname for state in states if state.locked != locked]
        if wrong:
            raise ProvisionerError(
                f"HSM said yes, and {', '.join(wrong)} {'is not locked' if locked else 'is still locked'}.",
                resolution="See who else locks and unlocks nodes.",
            )
        return states

    def status(self, names: Sequence[str]) -> tuple[LockState, ...]:
        """Return the states of the nodes *names*; raise ProvisionerError for those that HSM does not know."""
        refuse_names(names)
        found = self._gateway.post(f"{self._url}/status", {"ComponentIDs": list(names)})
        components = found.get("Components") if isinstance(found, dict) else None
        states = {
            str(item.get("ID")): LockState(
                xname=str(item.get("ID")),
                locked=item.get("Locked") is True,
                reserved=item.get("Reserved") is True,
                reservation_disabled=item.get("ReservationDisabled") is True,
            )
            for item in (components if isinstance(components, list) else [])
            if isinstance(item, dict)
        }
        unknown = [name for name in names if name not in states]
        if unknown:
            raise ProvisionerError(
                f"HSM does not know {', '.join(unknown)}.",
                details=f"{self._url}/status tells nothing of it.",
                resolution="Correct the xname.",
            )
        return tuple(states[name] for name in names)


def refuse_names(names: Sequence[str]) -> None:
    """Raise UsageError for what is no xname of a node."""
    wrong = [name for name in names if not XNAME.fullmatch(name)]
    if wrong:
        raise UsageError(
            f"{wrong[0]!r} is no xname of a node.", resolution="An xname looks like x3000c0s19b4n0."
        )
