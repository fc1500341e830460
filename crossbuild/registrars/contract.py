"""What a registrar must do: the contract that those of Warewulf 3, Warewulf 4 and IMS fulfil.

Locks, receipts on disk and the taking back of what failed are the pipeline's (pipeline/registration.py): a
registrar is called by one process of this host at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.receipt import Receipt
from crossbuild.model.registration import Action, RegistrationPlan, UndoPlan


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who hears of a registration while it goes on."""

    record: Callable[[Receipt], None]
    """Puts the receipt on disk before it returns: call it as soon as the provisioner gives out an id."""
    on_action: Callable[[Action], None]
    """Hears of each action before it is done."""
    on_progress: Callable[[str, int, int], None]
    """Hears what is being sent, how many bytes of it are done, and of how many."""


class Registrar(Protocol):
    """Hands artifact sets to one provisioner. Whatever it refuses raises ProvisionerError.

    What the user wants beyond the set, such as names and nodes, is given to its constructor.
    """

    kind: OutputKind
    resumes: bool
    """Whether `plan` goes on from an unfinished receipt; otherwise that is taken back first."""

    def plan(self, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
        """Look at the set and at the provisioner, change nothing, and decide what is to be done.

        Raises ArtifactError for a damaged set, HostNotReadyError for a library of crossbuild's own that is
        missing, and ProvisionerError where the provisioner is missing, would refuse, or would do wrongly.
        *unfinished* is what a killed registration of the same set left, always None unless `resumes`.
        """

    def register(self, plan: RegistrationPlan, listener: Listener) -> Receipt:
        """Carry out *plan*, read back everything that it made or changed, and return that as a receipt.

        Raises if anything is not as it must be, whatever the provisioner's programs said; what was done is
        then in the receipt recorded last, and the pipeline takes it back.
        """

    def plan_undo(self, receipt: Receipt) -> UndoPlan:
        """Look at what is still there of *receipt*, and decide how to take it back.

        What is gone already needs no action; what somebody changed or uses since is left, with the reason.
        """

    def undo(self, plan: UndoPlan, on_action: Callable[[Action], None]) -> None:
        """Carry out *plan*; raise ProvisionerError if anything is still there afterwards."""
