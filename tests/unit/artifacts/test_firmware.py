"""Choosing firmware."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.artifacts.firmware import find_firmware, real_path
from crossbuild.errors import ArtifactError
from tests.unit.artifacts.jobs import fill

FILES: dict[str, bytes | str] = {
    "lib": "usr/lib",
    "usr/lib/firmware/mellanox/a.mfa2": b"a",
    "usr/lib/firmware/mellanox/old/b.mfa2": b"b",
    "usr/lib/firmware/card.bin": "mellanox/a.mfa2",
    "usr/lib/firmware/second.bin": "/lib/firmware/card.bin",
    "usr/lib/firmware/vendor": "mellanox",
    "usr/lib/firmware/elsewhere.bin": "/opt/vendor.bin",
    "usr/lib/firmware/packed.bin.xz": b"xz",
    "usr/lib/firmware/a+b c.bin": b"odd",
    "usr/lib/firmware/dangling": "nowhere",
    "opt/vendor.bin": b"vendor",
}
A, B = "mellanox/a.mfa2", "mellanox/old/b.mfa2"


@pytest.mark.parametrize(
    ("pattern", "compressed", "found"),
    [
        pytest.param("mellanox", False, {A: None, B: None}, id="a folder is all that is in it"),
        pytest.param("mellanox/*.mfa2", False, {A: None}, id="a star stays in its folder"),
        pytest.param("card.bin", False, {"card.bin": A, A: None}, id="a link with its target"),
        pytest.param(
            "second.bin", False, {"second.bin": "card.bin", "card.bin": A, A: None}, id="a link to a link"
        ),
        pytest.param("vendor/a.mfa2", False, {"vendor": "mellanox", A: None}, id="through a linked folder"),
        pytest.param("elsewhere.bin", False, {"elsewhere.bin": None}, id="a link that leads elsewhere"),
        pytest.param("a+b*", False, {"a+b c.bin": None}, id="a name that wwbootstrap cuts"),
        pytest.param("packed.bin", True, {"packed.bin.xz": None}, id="compressed, as a driver names it"),
        pytest.param("packed.bin", False, {}, id="compressed, as a user names it"),
        pytest.param("absent/*", False, {}, id="nothing"),
    ],
)  # fmt: skip
def test_pattern_finds(tmp_path: Path, pattern: str, compressed: bool, found: dict[str, str | None]) -> None:
    assert find_firmware(fill(tmp_path, FILES), [pattern], compressed=compressed) == found


def test_what_a_link_leads_to_elsewhere_is_read_inside_the_root(tmp_path: Path) -> None:
    assert real_path(fill(tmp_path, FILES), "elsewhere.bin").read_bytes() == b"vendor"


@pytest.mark.parametrize("pattern", ["../../etc/shadow", "/etc/shadow", "a/../../x"])
def test_pattern_never_leads_out(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ArtifactError, match="leads out"):
        find_firmware(fill(tmp_path, FILES), [pattern])
