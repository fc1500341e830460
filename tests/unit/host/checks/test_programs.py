from __future__ import annotations

import pytest

from crossbuild.host.checks.programs import engine_check, manager_check, optional_check, program_check
from crossbuild.model.host import Engine, HostFacts, Status, can_build
from tests.unit.host.hosts import READY, without


def test_missing_programs_fail_with_the_packages_of_this_system() -> None:
    check = program_check(without(READY, "mksquashfs", "xz"))
    assert check.status is Status.FAILED
    assert check.remedy == "sudo apt-get install --no-install-recommends squashfs-tools xz-utils"
    assert not can_build((check,))


def test_a_complete_host_needs_nothing() -> None:
    assert program_check(READY).status is Status.OK
    assert optional_check(READY).status is Status.OK


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param(without(READY, "dnf", "zypper"), Status.OK, id="apt only"),
        pytest.param(
            without(READY, "apt-get", "mmdebstrap", "arch-test", "zypper"), Status.OK, id="dnf only"
        ),
        pytest.param(
            without(READY, "mmdebstrap", "dnf", "zypper"), Status.FAILED, id="apt without mmdebstrap"
        ),
    ],
)
def test_one_complete_package_manager_is_enough(facts: HostFacts, status: Status) -> None:
    assert manager_check(facts).status is status


@pytest.mark.parametrize(
    ("client", "reason", "status", "remedy"),
    [
        ("/usr/bin/podman", "", Status.OK, ""),
        ("", "it does not exist.", Status.SKIPPED, ""),
        ("/usr/bin/podman", "it does not exist.", Status.WARNING, "podman.socket"),
        ("/usr/bin/podman", "This user may not open it.", Status.WARNING, "sudo"),
    ],
)
def test_an_engine_that_does_not_answer_never_forbids_builds(
    client: str, reason: str, status: Status, remedy: str
) -> None:
    check = engine_check(Engine(name="podman", client=client, socket="unix:///run/x", reason=reason))
    assert check.status is status
    assert remedy in check.remedy
