from __future__ import annotations

from dataclasses import replace

import pytest

from crossbuild.host.binfmt import aarch64_handler
from crossbuild.host.checks.emulation import (
    ODD_ARGV,
    emulator_check,
    handler_check,
    judge_argv0,
    judge_chroot,
    judge_run,
    judge_set_uid,
    rival_check,
    rivals,
)
from crossbuild.host.probe import NOBODY, Outcome
from crossbuild.host.qemu import Emulator
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import Handler, HostFacts, Status
from tests.unit.host.hosts import BARE, OTHER, OWN, QEMU, READY

RAN = Outcome(argc=2, argv0=ODD_ARGV[0], uid=NOBODY, euid=NOBODY, machine="aarch64")
ROOT = replace(RAN, euid=0)
DID_NOT = Outcome(reason="Exec format error.")
WITH_C = aarch64_handler(QEMU, "POCF")
THEIRS_WITH_C = replace(OTHER, flags="POCF")


def test_a_program_that_does_not_run_fails_with_reason_and_remedy() -> None:
    for check in (judge_run(DID_NOT), judge_chroot(DID_NOT)):
        assert check.status is Status.FAILED
        assert "Exec format error" in check.details
        assert check.remedy == "sudo crossbuild setup"
    assert judge_run(RAN).status is judge_chroot(RAN).status is Status.OK


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        pytest.param(RAN, Status.OK, id="unchanged"),
        pytest.param(replace(RAN, argv0="/tmp/probe"), Status.WARNING, id="the path instead"),
        pytest.param(replace(RAN, argc=3), Status.FAILED, id="one argument too many"),
        pytest.param(DID_NOT, Status.WARNING, id="did not run"),
    ],
)
def test_argv0_must_arrive_unchanged(outcome: Outcome, status: Status) -> None:
    assert judge_argv0(outcome).status is status


@pytest.mark.parametrize(
    ("outcome", "handler", "nosuid", "status", "words"),
    [
        pytest.param(RAN, OWN, False, Status.OK, "flag C is off", id="safe and off"),
        pytest.param(ROOT, WITH_C, False, Status.OK, "as flag C asks", id="on as asked for"),
        pytest.param(RAN, WITH_C, True, Status.WARNING, "nosuid", id="on, but nosuid"),
        pytest.param(RAN, WITH_C, False, Status.WARNING, "registered later", id="on, but outranked"),
        pytest.param(ROOT, THEIRS_WITH_C, False, Status.WARNING, "did not set up", id="on by somebody else"),
        pytest.param(ROOT, OWN, False, Status.WARNING, "did not set up", id="off, but outranked"),
        pytest.param(DID_NOT, OWN, False, Status.WARNING, "could not be tried", id="did not run"),
    ],
)
def test_set_uid_is_judged_by_what_happens_against_what_was_promised(
    outcome: Outcome, handler: Handler, nosuid: bool, status: Status, words: str
) -> None:
    check = judge_set_uid(outcome, handler, nosuid=nosuid)
    assert check.status is status
    assert words in f"{check.brief} {check.details}"
    assert bool(check.remedy) == (status is not Status.OK)


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        pytest.param(replace(OTHER, flags="PO"), "Without flag F", id="no F"),
        pytest.param(THEIRS_WITH_C, "becomes root", id="credentials"),
        pytest.param(replace(OTHER, enabled=False), "disabled", id="disabled"),
        pytest.param(replace(OTHER, interpreter="/absent"), "/absent is missing", id="no interpreter"),
    ],
)
def test_a_wrong_handler_of_another_owner_is_named_with_its_fault(handler: Handler, fault: str) -> None:
    check = rival_check(handler)
    assert check.status is Status.WARNING
    assert fault in check.details
    assert check.remedy.endswith("/binfmt_misc/qemu-aarch64")


def test_only_handlers_of_others_for_aarch64_are_rivals() -> None:
    riscv = replace(OTHER, name="qemu-riscv64", magic=OTHER.magic[:18] + b"\xf3\x00")
    assert rivals(replace(READY, handlers=(OWN, OTHER, riscv))) == (OTHER,)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(BARE, "not mounted", id="no table"),
        pytest.param(replace(BARE, binfmt_mounted=True), "no enabled handler", id="empty table"),
        pytest.param(replace(READY, handlers=(replace(OWN, enabled=False),)), "no enabled", id="disabled"),
    ],
)
def test_a_host_without_a_handler_is_told_to_run_setup(facts: HostFacts, words: str) -> None:
    check = handler_check(facts)
    assert (check.status, check.remedy) == (Status.FAILED, "sudo crossbuild setup")
    assert words in check.brief


def test_the_own_handler_comes_before_others_in_the_facts() -> None:
    assert replace(READY, handlers=(OTHER, OWN)).handler_for(Architecture.AARCH64) is OWN
    assert BARE.handler_for(Architecture.AARCH64) is None


@pytest.mark.parametrize(("facts", "status"), [(BARE, Status.FAILED), (READY, Status.WARNING)])
def test_a_missing_qemu_names_the_package(facts: HostFacts, status: Status) -> None:
    dynamic = Emulator(path="/usr/bin/qemu-aarch64", version="9.1", static=False)
    check = emulator_check((dynamic,), facts)
    assert (check.status, check.details) == (status, "/usr/bin/qemu-aarch64: 9.1, not static")
    assert check.remedy == "sudo apt-get install --no-install-recommends qemu-user-static"
