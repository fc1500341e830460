"""Programs of a builder run natively where that changes nothing, and others do not notice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.acceleration.starts import Way, read_starts
from crossbuild.model.site import Site
from tests.integration.conftest import CommandLine

NAME = "test-accelerated"


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
