"""The order of things around a registrar: receipts before changes, nothing half done left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossbuild.artifacts.receipts import read_receipt, receipts_of
from crossbuild.config.site import load_site
from crossbuild.errors import ProvisionerError, UsageError
from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.receipt import Receipt, ReceiptState
from crossbuild.model.registration import Action, Left, RegistrationPlan, UndoPlan
from crossbuild.model.site import Site
from crossbuild.pipeline import registration
from crossbuild.pipeline.registration import Hearer
from crossbuild.registrars.actions import Command
from crossbuild.registrars.contract import Listener
from tests.unit.artifacts.sets import make_set
from tests.unit.artifacts.test_receipts import RECEIPT

ACTION = Command(argv=("true",), reason="It is tried.")
HEARER = Hearer(notice=lambda _: None, on_action=lambda _: None, on_progress=lambda *_: None)


@dataclass
class FakeRegistrar:
    """Keeps one word for each registered image, and fails when it is told to."""

    kind: OutputKind = OutputKind.WAREWULF3
    resumes: bool = False
    held: set[str] = field(default_factory=set)
    failure: BaseException | None = None
    stubborn: bool = False
    stays: tuple[Left, ...] = ()
    seen: list[ReceiptState] = field(default_factory=list)
    directory: Path = Path()

    def plan(self, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
        self.directory = artifacts.directory
        actions = () if artifacts.name in self.held else (ACTION,)
        return RegistrationPlan(actions=actions, receipt=RECEIPT)

    def register(self, plan: RegistrationPlan, listener: Listener) -> Receipt:
        self.seen += [receipt.state for _, receipt in receipts_of(self.directory)]
        self.held.add(plan.receipt.image)
        listener.on_action(ACTION)
        if self.failure:
            raise self.failure
        return plan.receipt

    def plan_undo(self, receipt: Receipt) -> UndoPlan:
        return UndoPlan(receipt=receipt, actions=(ACTION,), left=self.stays)

    def undo(self, plan: UndoPlan, on_action: Callable[[Action], None]) -> None:
        if self.stubborn:
            raise ProvisionerError("It does not answer.")
        self.held.discard(plan.receipt.image)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    config = tmp_path / "site.yaml"
    config.write_text(f"state: {tmp_path}/state\nprefix: {tmp_path}/prefix\n")
    return load_site(config)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return make_set(tmp_path / "made")


def test_receipt_is_there_before_the_first_change_and_finished_after_the_last(
    site: Site, directory: Path
) -> None:
    registrar = FakeRegistrar()
    done = registration.register(registrar, directory, site, HEARER)
    assert registrar.seen == [ReceiptState.UNFINISHED]
    assert done is not None
    assert read_receipt(done.path) == done.receipt
    assert (done.receipt.state, done.receipt.image) == (ReceiptState.REGISTERED, "node")
    assert done.receipt.registered.endswith("+00:00")


def test_nothing_to_do_leaves_no_receipt(site: Site, directory: Path) -> None:
    assert registration.register(FakeRegistrar(held={"node"}), directory, site, HEARER) is None
    assert receipts_of(directory) == ()


@pytest.mark.parametrize("failure", [ProvisionerError("No."), KeyboardInterrupt()], ids=["refused", "Ctrl-C"])
def test_failure_is_taken_back_and_leaves_no_receipt(
    site: Site, directory: Path, failure: BaseException
) -> None:
    registrar = FakeRegistrar(failure=failure)
    with pytest.raises(type(failure)):
        registration.register(registrar, directory, site, HEARER)
    assert registrar.held == set()
    assert receipts_of(directory) == ()


def test_failure_that_cannot_be_taken_back_keeps_the_receipt_and_says_so(site: Site, directory: Path) -> None:
    registrar = FakeRegistrar(failure=ProvisionerError("No."), stubborn=True)
    with pytest.raises(ProvisionerError, match=r"No\.") as caught:
        registration.register(registrar, directory, site, HEARER)
    ((path, receipt),) = receipts_of(directory)
    assert receipt.state is ReceiptState.UNFINISHED
    assert "It does not answer." in caught.value.details
    assert f"--undo {path}" in caught.value.resolution


def test_what_was_killed_is_taken_back_before_the_next_attempt(site: Site, directory: Path) -> None:
    stubborn = FakeRegistrar(failure=ProvisionerError("No."), stubborn=True)
    with pytest.raises(ProvisionerError):
        registration.register(stubborn, directory, site, HEARER)
    healed = FakeRegistrar(held=stubborn.held)
    done = registration.register(healed, directory, site, HEARER)
    assert done is not None
    assert [receipt.state for _, receipt in receipts_of(directory)] == [ReceiptState.REGISTERED]


def test_registrar_that_resumes_goes_on_with_its_receipt(site: Site, directory: Path) -> None:
    first = FakeRegistrar(failure=ProvisionerError("No."), stubborn=True)
    with pytest.raises(ProvisionerError):
        registration.register(first, directory, site, HEARER)
    unfinished: list[Receipt | None] = []

    class Resuming(FakeRegistrar):
        def plan(self, artifacts: ArtifactSet, found: Receipt | None) -> RegistrationPlan:
            unfinished.append(found)
            return super().plan(artifacts, found)

    done = registration.register(Resuming(resumes=True), directory, site, HEARER)
    assert done is not None
    assert [receipt is not None for receipt in unfinished] == [True]
    assert [path.name for path, _ in receipts_of(directory)] == ["warewulf3-1.json"]


def test_undo_marks_the_receipt_and_happens_once(
    site: Site, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrar = FakeRegistrar()
    done = registration.register(registrar, directory, site, HEARER)
    assert done is not None
    monkeypatch.setattr(registration, "REGISTRARS", {OutputKind.WAREWULF3: lambda _: registrar})
    assert registration.plan_undo(done.path, site).actions == (ACTION,)
    assert registration.undo(done.path, site, HEARER) == ()
    assert read_receipt(done.path).state is ReceiptState.UNDONE
    with pytest.raises(UsageError, match="already"):
        registration.undo(done.path, site, HEARER)


def test_a_record_that_is_not_for_aarch64_reaches_no_registrar(site: Site, directory: Path) -> None:
    path = directory / "image.json"
    path.write_text(path.read_text().replace('"arch": "aarch64"', '"arch": "x86_64"'))
    registrar = FakeRegistrar()
    with pytest.raises(ProvisionerError, match="x86_64"):
        registration.register(registrar, directory, site, HEARER)
    assert registrar.seen == []


def test_receipt_names_the_record_that_was_registered(site: Site, directory: Path) -> None:
    plan = registration.plan_registration(FakeRegistrar(), directory)
    assert plan.receipt.record == hashlib.sha256((directory / "image.json").read_bytes()).hexdigest()
