"""What verification remarked."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.pipeline.phases import (
    HANDED_BACK,
    HANDOVER,
    LAYERS,
    PACKING,
    RETURN,
    SOURCES,
    TWIN,
    VERIFICATION,
)
from crossbuild.report.bars import PHASES
from crossbuild.report.remarks import remarks_of


def test_only_lines_of_the_verification_count(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_bytes(
        b"    1.000 == Packages\n    1.100 Unpacking a\n   58.013 == Verification\n"
        b"   59.274 The plugin q_atm.so cannot be loaded.\nno time\n   59.300 caf\xe9\n"
        b"   59.481 == Artifacts\n   60.000 packing\n"
    )
    assert remarks_of(tmp_path) == ("The plugin q_atm.so cannot be loaded.", "caf\ufffd")


@pytest.mark.parametrize("content", ["", "no log at all\n"])
def test_another_log_has_no_remarks(tmp_path: Path, content: str) -> None:
    (tmp_path / "build.log").write_text(content)
    assert remarks_of(tmp_path) == ()


def test_a_set_without_log_has_none(tmp_path: Path) -> None:
    assert remarks_of(tmp_path) == ()


def test_phases_are_called_what_the_build_calls_them() -> None:
    named = {
        key: title
        for key, title, _ in (SOURCES, HANDOVER, TWIN, *LAYERS, HANDED_BACK, RETURN, VERIFICATION, PACKING)
    }
    assert named == PHASES
