from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from crossbuild.host import command
from crossbuild.verification.scan import scan_root
from crossbuild.verification.tree import verify_root
from tests.unit.trees import SOUND, make_root

MODULE = "/lib/modules/6.1/a.ko.zst"


def test_without_the_zstd_program_its_modules_are_trusted_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find", lambda program: None)
    verification = verify_root(make_root(tmp_path, {**SOUND, MODULE: b"packed"}), kernel=None)
    assert verification.findings == ()
    (note,) = verification.notes
    assert note.startswith("1 kernel modules are packed with zstd")


def test_links_are_followed_inside_the_root_and_loops_lead_nowhere(tmp_path: Path) -> None:
    scan = scan_root(make_root(tmp_path, {"/a/b": b"x", "/c": "/a", "/d": "/d", "/e": "../../../a/b"}), None)
    assert scan.real("/c/b") == PurePosixPath("/a/b")
    assert scan.real("/e") == PurePosixPath("/a/b")
    assert scan.real("/d") == PurePosixPath("/d")
    assert set(scan.files) == {PurePosixPath("/a/b")}
