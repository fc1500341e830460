"""Facts of a machine, judged."""

from __future__ import annotations

import base64

import pytest

from crossbuild.booting.judging import capability_in, judge
from crossbuild.model.boot import CheckResult, Expected

NET_RAW = bytes.fromhex("0100000200200000000000000000000000000000")
EXPECTED = Expected(architecture="aarch64", kernel="6.1.0-1")
GOOD = [
    ("machine", "aarch64"),
    ("kernel", "6.1.0-1"),
    ("target", "multi-user.target active"),
    ("network", "eth0 reached"),
]


def pax(value: bytes) -> str:
    """The second block of a pax archive, as the probe sends it."""
    record = b" SCHILY.xattr.security.capability=" + value + b"\n"
    length = len(record) + 2
    return base64.b64encode(b"24 atime=1795275007.792\n" + str(length).encode() + record + bytes(64)).decode()


def results(expected: Expected, *facts: tuple[str, str], **more: str) -> dict[str, tuple[CheckResult, str]]:
    checks = judge(expected, [*GOOD, *facts], **more)
    return {one.check: (one.result, one.found) for one in checks}


def test_a_machine_that_is_as_recorded_passes() -> None:
    assert {result for result, _ in results(EXPECTED).values()} == {CheckResult.OK}
    assert list(results(EXPECTED)) == ["architecture", "kernel", "default target", "failed units", "network"]


def test_another_kernel_is_named_with_the_one_that_was_meant() -> None:
    found = results(Expected(architecture="aarch64", kernel="6.2"))["kernel"]
    assert found == (CheckResult.FAILED, "6.1.0-1, not 6.2")


def test_a_kernel_that_the_record_does_not_name_is_not_judged() -> None:
    assert results(Expected(architecture="aarch64", kernel=""))["kernel"][0] is CheckResult.SKIPPED


def test_a_failed_unit_is_told_with_what_it_said() -> None:
    said = [("log", line) for line in ("no disk here", "exited", "failed", "not started")]
    found = results(EXPECTED, ("failed", "bad.service"), *said)["failed units"]
    assert found == (CheckResult.FAILED, "bad.service; no disk here; exited; failed; not started")


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ("Type=notify Result=success ActiveState=active ConditionResult=yes", CheckResult.OK),
        ("Type=oneshot Result=success ActiveState=inactive ConditionResult=yes", CheckResult.OK),
        ("Type=simple Result=success ActiveState=inactive ConditionResult=no", CheckResult.OK),
        ("Type=simple Result=success ActiveState=inactive ConditionResult=yes", CheckResult.FAILED),
        ("Type=simple Result=exit-code ActiveState=failed ConditionResult=yes", CheckResult.FAILED),
        ("", CheckResult.FAILED),
    ],
)
def test_a_service_is_active_or_has_a_reason_not_to_be(state: str, result: CheckResult) -> None:
    expected = Expected(architecture="aarch64", kernel="", services=("a",))
    assert results(expected, ("service", f"a {state}"))["service a"][0] is result


@pytest.mark.parametrize(
    ("told", "result"),
    [
        (pax(NET_RAW), CheckResult.OK),
        (pax(NET_RAW[:4] + bytes(16)), CheckResult.FAILED),
        (base64.b64encode(b"\x7fELF and no header at all").decode(), CheckResult.FAILED),
        ("", CheckResult.SKIPPED),
    ],
)
def test_file_capabilities_are_compared_byte_by_byte(told: str, result: CheckResult) -> None:
    expected = Expected(architecture="aarch64", kernel="", capabilities=(("/usr/bin/ping", NET_RAW),))
    assert results(expected, ("capability", f"0 {told}"))["file capabilities"][0] is result


def test_a_capability_is_read_whole() -> None:
    assert capability_in(pax(NET_RAW)) == NET_RAW


@pytest.mark.parametrize(
    ("told", "result"),
    [
        ("munge munge:x:991:991::/:/bin/false munge", CheckResult.OK),
        ("munge munge:x:107:991::/:/bin/false munge", CheckResult.FAILED),
        ("munge munge:x:991:991::/:/bin/false daemon", CheckResult.FAILED),
        ("munge ", CheckResult.FAILED),
    ],
)
def test_users_have_their_ids(told: str, result: CheckResult) -> None:
    expected = Expected(architecture="aarch64", kernel="", accounts=(("munge", 991, 991, "munge"),))
    assert results(expected, ("account", told))["users"][0] is result


@pytest.mark.parametrize("told", ["none none", "eth0 none", ""])
def test_a_network_needs_a_route_and_an_answer(told: str) -> None:
    assert judge(EXPECTED, [("network", told)])[-1].result is CheckResult.FAILED


def test_the_exported_tree_is_mounted_and_its_file_is_the_one() -> None:
    assert "exported tree" not in results(EXPECTED)
    told = ("pub", "mounted abc  /run/crossbuild/pub/x")
    assert results(EXPECTED, told, pub_digest="abc")["exported tree"][0] is CheckResult.OK
    assert results(EXPECTED, told, pub_digest="abd")["exported tree"][0] is CheckResult.FAILED
    refused = results(EXPECTED, ("pub", "refused mount.nfs: no"), pub_digest="abc")["exported tree"]
    assert refused == (CheckResult.FAILED, "mount.nfs: no")


def test_commands_of_the_spec_must_succeed() -> None:
    expected = Expected(architecture="aarch64", kernel="", commands=("true", "false"))
    found = results(expected, ("command", "0 0"), ("command", "1 1 no such thing"))
    assert found["command true"] == (CheckResult.OK, "status 0")
    assert found["command false"] == (CheckResult.FAILED, "status 1: no such thing")
