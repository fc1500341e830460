"""Warewulf's own syntax of configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.registrars.warewulf3.configuration import parse, read_configuration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("cacert = /a/b.crt", {"cacert": ("/a/b.crt",)}, id="one value"),
        pytest.param("a = x, y,", {"a": ("x", "y")}, id="a list"),
        pytest.param("a = x\na += y", {"a": ("x", "y")}, id="appended"),
        pytest.param("a = x\na = y", {"a": ("y",)}, id="set again"),
        pytest.param("# a = x\na = y # = z", {"a": ("y",)}, id="comments"),
        pytest.param('default kargs = "quiet splash"', {"default kargs": ("quiet splash",)}, id="quotes"),
        pytest.param("Binstore Kind = filesystem", {"binstore kind": ("filesystem",)}, id="capitals"),
        pytest.param("a =\nnothing", {"a": ()}, id="no value"),
    ],
)
def test_values_are_found_by_their_keys(text: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert parse(text) == expected


def test_file_of_the_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for folder, value in ((tmp_path / "etc/warewulf", "system"), (tmp_path / "home/.warewulf", "user")):
        folder.mkdir(parents=True)
        (folder / "x.conf").write_text(f"a = {value}\n")
        assert read_configuration(tmp_path / "etc", "x.conf") == {"a": (value,)}
    assert read_configuration(tmp_path / "etc", "y.conf") == {}
