"""Programs of a builder run natively where that changes nothing, and others do not notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.acceleration.starts import Way, read_starts
from crossbuild.model.site import Site
from tests.integration.conftest import CommandLine
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like

NAME, OF_RPM = "test-accelerated", "test-accelerated-rpm"


@pytest.fixture(scope="module")
def record(crossbuild: CommandLine, site: Site) -> Iterator[Path]:
    """The record of starts of a builder; made here, since crossbuild keeps none for builders."""
    crossbuild("builder", "remove", NAME, check=False)
    crossbuild("builder", "create", NAME, "--engine", "sandbox")
    count = site.state / "builders" / NAME / "accelerate/count"
    count.touch()
    count.chmod(0o622)
    yield count
    crossbuild("builder", "remove", NAME)


def ways(record: Path) -> dict[str, Counter[Way]]:
    found: dict[str, Counter[Way]] = {}
    with record.open("rb") as file:
        for start in read_starts(file):
            found.setdefault(str(start.path), Counter())[start.way] += 1
    return found


def test_text_tools_run_natively_and_what_knows_its_architecture_does_not(
    crossbuild: CommandLine, record: Path
) -> None:
    script = "uname -m; dpkg --print-architecture; echo x | sed s/x/y/"
    assert crossbuild("run", "--builder", NAME, "sh", "-c", script).stdout == "aarch64\narm64\ny\n"
    started = ways(record)
    assert started["/usr/bin/sed"][Way.NATIVE] == 1
    assert started["/usr/bin/uname"][Way.NATIVE] == 0


@pytest.fixture
def of_rpm_packages(
    rpm_repositories: tuple[MadeRepository, ...], tmp_path: Path, site: Site
) -> Iterator[CommandLine]:
    """The command line where Rocky Linux comes from the repositories of the tests; its builder goes."""
    made = next(made for made in rpm_repositories if made.like is Like.EL)
    config = tmp_path / "config.yaml"
    config.write_text(
        f"state: {site.state}\nprefix: {site.prefix}\nrepositories:\n  rocky-9:\n    - id: el\n"
        f'      uris: ["file://{made.path.parent}/$basearch"]\n      signed_by: {made.key}\n'
    )
    crossbuild = CommandLine(config)
    crossbuild("builder", "remove", OF_RPM, check=False)
    yield crossbuild
    crossbuild("builder", "remove", OF_RPM)


def test_programs_of_rpm_packages_run_natively_too(of_rpm_packages: CommandLine, site: Site) -> None:
    create = ("builder", "create", OF_RPM, "--engine", "sandbox", "--distro", "rocky", "--release", "9")
    assert "Without acceleration" not in of_rpm_packages(*create).stderr
    count = site.state / "builders" / OF_RPM / "accelerate/count"
    count.touch()
    count.chmod(0o622)
    script = "uname -m; rpm -q --queryformat '%{ARCH}\\n' sed; echo x | sed s/x/y/"
    said = of_rpm_packages("run", "--builder", OF_RPM, "sh", "-c", script).stdout
    assert said == "aarch64\naarch64\ny\n"
    started = ways(count)
    assert started["/usr/bin/sed"][Way.NATIVE] == 1
    assert started["/usr/bin/rpm"][Way.NATIVE] == started["/usr/bin/uname"][Way.NATIVE] == 0
