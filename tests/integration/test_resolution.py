"""What a package manager resolved is not asked again while neither the spec nor the sources change."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult
from tests.integration.conftest import SMALL, CommandLine

RECORDING = """\
#!/bin/sh
echo "$*" >>{log}
{real} "$@"
status=$?
echo "end of $1" >>{log}
exit $status
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A file that gets a line for each start of apt-get by a host whose PATH begins with the folder `bin`."""
    program = tmp_path / "bin/apt-get"
    program.parent.mkdir()
    program.write_text(RECORDING.format(log=tmp_path / "asked", real=shutil.which("apt-get")))
    program.chmod(0o755)
    return tmp_path / "asked"


def simulations(asked: Path) -> int:
    """Return how many lists of packages were resolved since the last call."""
    lines = [line for line in asked.read_text().splitlines() if not line.startswith("end of ")]
    asked.unlink()
    assert sum(line.startswith("update ") for line in lines) == 1
    return sum("--simulate" in line for line in lines)


def test_apt_resolves_only_what_is_new(crossbuild: CommandLine, asked: Path, tmp_path: Path) -> None:
    """Answers of earlier runs are here, too, but none of this apt: it has just been written."""
    spec = tmp_path / "spec.yaml"
    path = f"{asked.parent}/bin:/usr/bin:/bin"

    def plan(packages: str) -> str:
        spec.write_text(SMALL.replace("iputils-ping", packages))
        return crossbuild("plan", str(spec), PATH=path).stdout

    first = plan("iputils-ping")
    assert simulations(asked) == 2
    assert plan("iputils-ping") == first
    assert simulations(asked) == 0
    # The base is that of the former plan.
    assert "less" in plan("less")
    assert simulations(asked) == 1


def test_nobody_resolves_from_indexes_that_another_one_fetches(
    crossbuild: CommandLine, asked: Path, tmp_path: Path
) -> None:
    path = f"{asked.parent}/bin:/usr/bin:/bin"

    def plan(package: str) -> CommandResult:
        spec = tmp_path / f"{package}.yaml"
        spec.write_text(SMALL.replace("iputils-ping", package))
        return crossbuild("plan", str(spec), check=False, PATH=path)

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(plan, ("less", "nano", "file", "time")))
    assert [result.status for result in results] == [0] * 4, results
    running: list[str] = []
    for line in asked.read_text().splitlines():
        word = line.removeprefix("end of ").split()[0]
        (running.append if word == line.split()[0] else running.remove)(word)
        assert "update" not in running or running == ["update"]
