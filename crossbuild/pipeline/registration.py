"""Registering an artifact set and taking that back: locks, receipts, and nothing half done left behind."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossbuild.artifacts import receipts
from crossbuild.artifacts.store import load_set
from crossbuild.errors import CrossbuildError, ProvisionerError, UsageError
from crossbuild.host.locks import locked
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.receipt import Receipt, ReceiptState
from crossbuild.model.registration import Action, Left, RegistrationPlan, UndoPlan
from crossbuild.model.site import Site
from crossbuild.registrars.contract import Listener, Registrar
from crossbuild.registrars.table import REGISTRARS


@dataclass(frozen=True, kw_only=True)
class Hearer:
    """What the front end wants to hear; every function returns at once."""

    notice: Callable[[str], None]
    on_action: Callable[[Action], None]
    on_progress: Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A receipt and its file."""

    receipt: Receipt
    path: Path


def plan_registration(registrar: Registrar, directory: Path) -> RegistrationPlan:
    """Return what registering the set in *directory* would do; nothing is changed, also no receipt."""
    artifacts = _accepted(directory)
    found = _unfinished(directory, registrar.kind)
    return _planned(registrar, artifacts, found.receipt if found and registrar.resumes else None)


def register(registrar: Registrar, directory: Path, site: Site, hearer: Hearer) -> Registered | None:
    """Register the set in *directory*, and return the receipt; None where all was registered already.

    What an earlier call left unfinished is taken back or continued. On any failure, also an interruption,
    the provisioner is as it was before, or the receipt says what is left and the error names it.
    """
    with _alone(registrar.kind, directory, site, hearer.notice):
        artifacts = _accepted(directory)
        found = _unfinished(directory, registrar.kind)
        if found and not registrar.resumes:
            hearer.notice(f"Taking back what {found.path} left unfinished.")
            _take_back(registrar, found, hearer)
            found = None
        plan = _planned(registrar, artifacts, found.receipt if found else None)
        for note in plan.notes:
            hearer.notice(note)
        if not plan.actions:
            return None
        path = found.path if found else receipts.next_receipt(directory, registrar.kind)
        return Registered(receipt=_carry_out(registrar, plan, path, hearer), path=path)


def plan_undo(path: Path, site: Site) -> UndoPlan:
    """Return what taking back the receipt in *path* would do; nothing is changed."""
    receipt = receipts.read_receipt(path)
    return _registrar_of(receipt, site).plan_undo(receipt)


def undo(path: Path, site: Site, hearer: Hearer) -> tuple[Left, ...]:
    """Take back the receipt in *path*; return what stays, since somebody changed it or uses it."""
    receipt = receipts.read_receipt(path)
    registrar = _registrar_of(receipt, site)
    beside = path.absolute().parent
    # A receipt may have been copied away from its set.
    held = beside.parent if beside.name == receipts.FOLDER else path
    with _alone(receipt.provisioner, held, site, hearer.notice):
        return _take_back(registrar, Registered(receipt=receipts.read_receipt(path), path=path), hearer)


def _planned(registrar: Registrar, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
    plan = registrar.plan(artifacts, unfinished)
    receipt = dataclasses.replace(
        plan.receipt,
        state=ReceiptState.UNFINISHED,
        image=artifacts.name,
        record=receipts.record_digest(artifacts.directory),
    )
    return dataclasses.replace(plan, receipt=receipt)


def _carry_out(registrar: Registrar, plan: RegistrationPlan, path: Path, hearer: Hearer) -> Receipt:
    receipts.write_receipt(plan.receipt, path)
    listener = Listener(
        record=lambda receipt: receipts.write_receipt(receipt, path),
        on_action=hearer.on_action,
        on_progress=hearer.on_progress,
    )
    with _taken_back_on_failure(registrar, path, hearer):
        receipt = registrar.register(plan, listener)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = dataclasses.replace(receipt, state=ReceiptState.REGISTERED, registered=now)
        receipts.write_receipt(receipt, path)
    return receipt


@contextlib.contextmanager
def _taken_back_on_failure(registrar: Registrar, path: Path, hearer: Hearer) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        hearer.notice("It failed: taking back what was done.")
        left: tuple[str, ...] = ()
        try:
            stays = _take_back(registrar, Registered(receipt=receipts.read_receipt(path), path=path), hearer)
            left = tuple(f"{item.what}: {item.reason}" for item in stays)
        except CrossbuildError as second:
            left = (second.brief, *second.details.splitlines())
        if left and isinstance(error, CrossbuildError):
            error.details = "\n".join([error.details, "Not everything could be taken back:", *left]).strip()
            error.resolution = f"{error.resolution} Then run `crossbuild register --undo {path}`.".strip()
        raise


def _take_back(registrar: Registrar, found: Registered, hearer: Hearer) -> tuple[Left, ...]:
    plan = registrar.plan_undo(found.receipt)
    registrar.undo(plan, hearer.on_action)
    if found.receipt.state is ReceiptState.UNFINISHED and not plan.left:
        # Nothing came of it: there is nothing to keep.
        found.path.unlink()
    else:
        receipts.write_receipt(dataclasses.replace(found.receipt, state=ReceiptState.UNDONE), found.path)
    return plan.left


def _unfinished(directory: Path, kind: OutputKind) -> Registered | None:
    for path, receipt in receipts.receipts_of(directory):
        if receipt.provisioner is kind and receipt.state is ReceiptState.UNFINISHED:
            return Registered(receipt=receipt, path=path)
    return None


def _registrar_of(receipt: Receipt, site: Site) -> Registrar:
    if receipt.state is ReceiptState.UNDONE:
        raise UsageError(
            "This registration was taken back already.",
            details=f"The receipt of {receipt.name} in {receipt.provisioner} says so.",
        )
    return REGISTRARS[receipt.provisioner](site)


def _accepted(directory: Path) -> ArtifactSet:
    artifacts = load_set(directory)
    if artifacts.arch is not Architecture.AARCH64:
        raise ProvisionerError(
            f"The set in {directory} is for {artifacts.arch}, and is not registered.",
            details="Provisioners take the architecture of an image as given: nodes would not start with it.",
            resolution="Build the image with `arch: aarch64`.",
        )
    return artifacts


@contextlib.contextmanager
def _alone(kind: OutputKind, directory: Path, site: Site, notice: Callable[[str], None]) -> Iterator[None]:
    """Hold the provisioner, and the set, which a build must not replace meanwhile."""
    with (
        locked(site.state / "registration" / kind, f"the registrar of {kind}", notice),
        locked(directory.absolute(), f"`{directory.name}`", notice),
    ):
        yield
