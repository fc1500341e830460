"""What Warewulf 3 gets, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from crossbuild.artifacts import warewulf3
from crossbuild.artifacts.warewulf3 import VnfsFormat, choose_vnfs_format
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import FileCapability
from tests.unit.artifacts.jobs import make_job, no_progress

PING = PurePosixPath("/usr/bin/ping")
CAPABLE = FileCapability(path=PING, value=b"")


@pytest.mark.parametrize(
    ("peculiarity", "expected", "word"),
    [
        pytest.param({}, VnfsFormat.NEWC, "all", id="nothing special"),
        pytest.param({"sockets": (PING,)}, VnfsFormat.NEWC, "all", id="sockets"),
        pytest.param({"devices": (PING,)}, VnfsFormat.NEWC, "all", id="devices"),
        pytest.param(
            {"capabilities": (CAPABLE,)}, VnfsFormat.PAX, "capabilities", id="capability"
        ),
        pytest.param({"attributes": (PING,)}, VnfsFormat.PAX, "attributes (1)", id="attribute"),
        pytest.param({"oversized": (PING,)}, VnfsFormat.PAX, "4 GiB", id="large file"),
    ],
)  # fmt: skip
def test_format_follows_what_the_tree_holds(
    tmp_path: Path, peculiarity: dict[str, Any], expected: VnfsFormat, word: str
) -> None:
    plain = replace(
        make_job(tmp_path).survey, capabilities=(), attributes=(), oversized=(), sockets=(), odd_names=()
    )
    choice = choose_vnfs_format(replace(plain, **peculiarity))
    assert choice.format is expected
    assert word in choice.reason
    assert choice.left_out == peculiarity.get("sockets", ())


@pytest.mark.parametrize("version", ["6.1.0+debug", "6.1~rc1", "6.1 x"])
def test_kernel_version_that_warewulf_refuses_is_named_before_anything_is_written(
    tmp_path: Path, version: str
) -> None:
    job = make_job(tmp_path)
    assert job.kernel is not None
    with pytest.raises(ArtifactError) as caught:
        warewulf3.pack(
            replace(job, kernel=replace(job.kernel, version=version)), tmp_path / "out", no_progress
        )
    assert version in caught.value.brief
    assert f"holds `{version[3:4] if version[3] in '~ ' else '+'}`" in caught.value.details
    assert not (tmp_path / "out").exists()


def test_root_without_kernel_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        warewulf3.pack(make_job(tmp_path, kernel=None), tmp_path / "out", no_progress)
    assert "kernel.package" in caught.value.resolution
