"""A container engine whose disk is full: a snapshot fails in words, and nothing is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.engines.names import repository
from crossbuild.host.command import capture
from crossbuild.model.builder import EngineKind
from tests.integration.conftest import CommandLine
from tests.integration.engine_rig import RunningEngine, running_engine

NAME = "test-full"
MEGABYTES = 700
"""Of the engine's file system; the smallest root takes some 250 of them."""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEngine]:
    """A Docker Engine that keeps all it has on a small file system."""
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    inner = folder / "engine"
    capture(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "engine", str(folder)])
    try:
        with running_engine(EngineKind.DOCKER, inner) as engine:
            for name, value in engine.variables.items():
                monkeypatch.setenv(name, value)
            yield engine
    finally:
        capture(["umount", "--lazy", str(folder)])
        folder.rmdir()


def test_a_snapshot_that_finds_no_space_fails_and_loses_nothing(
    engine: RunningEngine, crossbuild: CommandLine, small_root: str
) -> None:
    crossbuild("builder", "create", NAME, "--engine", "docker", "--from-root", small_root)
    free = "df --output=avail -BM / | tail -1 | tr -dc 0-9"
    fill = f"dd if=/dev/zero of=/root/filler bs=1M count=$(( $({free}) * 3 / 5 )) status=none"
    crossbuild("run", "--builder", NAME, "sh", "-c", f"{fill} && echo kept > /root/kept")
    before = engine.client("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")

    result = crossbuild("builder", "snapshot", NAME, check=False)

    assert result.status == 1, result.stderr
    assert "no space left on device" in result.stderr
    assert "What to do:" in result.stderr
    assert "Traceback" not in result.stderr
    assert engine.client("image", "ls", "--format", "{{.Repository}}:{{.Tag}}") == before
    assert repository(NAME) in before
    assert crossbuild("run", "--builder", NAME, "cat", "/root/kept").stdout == "kept\n"

    crossbuild("run", "--builder", NAME, "rm", "/root/filler")
    crossbuild("builder", "snapshot", NAME)
    crossbuild("builder", "remove", NAME)
