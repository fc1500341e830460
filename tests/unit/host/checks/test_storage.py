from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.host.checks.storage import DAY, GIGABYTE, capability_check, clock_check, space_checks
from crossbuild.model.host import Place, Status

NOW = 1_800_000_000.0


@pytest.mark.parametrize(("free", "status"), [(50, Status.OK), (5, Status.WARNING), (1, Status.FAILED)])
def test_little_space_is_a_warning_and_none_a_failure(free: int, status: Status) -> None:
    place = Place(path=Path("/roots"), existing=Path("/"), filesystem="xfs", free=free * GIGABYTE)
    (check,) = space_checks((place,))
    assert check.status is status
    assert "/roots (xfs)" in check.brief


@pytest.mark.parametrize(
    ("newest", "status"),
    [(NOW - 100 * DAY, Status.OK), (NOW + DAY / 2, Status.OK), (NOW + 2 * DAY, Status.FAILED)],
)
def test_files_from_the_future_prove_a_wrong_clock(newest: float, status: Status) -> None:
    assert clock_check(NOW, newest).status is status


def test_the_clock_of_this_host_is_past_its_own_files() -> None:
    assert clock_check().status is Status.OK


def test_a_file_system_that_refuses_capabilities_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    check = capability_check(tmp_path, root=True)
    assert check.status is Status.FAILED
    assert "Operation not supported" in check.details
    assert list(tmp_path.iterdir()) == []


def test_a_capability_that_came_back_changed_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "setxattr", lambda *_: None)
    monkeypatch.setattr(os, "getxattr", lambda *_: b"other")
    assert capability_check(tmp_path, root=True).status is Status.FAILED


def test_without_root_capabilities_are_not_tried(tmp_path: Path) -> None:
    assert capability_check(tmp_path, root=False).status is Status.SKIPPED
