"""What fills an image, measured in its root."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from crossbuild.artifacts import contents as module
from crossbuild.artifacts.contents import contents
from crossbuild.host.survey import survey
from tests.unit.artifacts.jobs import fill

TREE: dict[str, bytes | str] = {
    "lib": "usr/lib",
    "usr/lib/libc.so": b"c" * 700,
    "usr/lib/modules/a.ko": b"m" * 200,
    "usr/bin/bash": b"b" * 90,
    "boot/initrd": b"i" * 10,
}
OWNERS = {"/lib/libc.so": "libc6", "/usr/lib/modules/a.ko": "linux", "/usr/bin/bash": "bash", "/gone": "old"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "root", TREE)


def sizes(found: dict[str, Any], key: str, name: str) -> dict[str, int]:
    return {entry[name]: entry["size"] for entry in found[key]}


def test_everything_is_counted_once_by_folder_and_by_package(root: Path) -> None:
    os.link(root / "usr/bin/bash", root / "usr/bin/rbash")
    found: dict[str, Any] = contents(root, OWNERS)
    assert (found["size"], found["files"]) == (survey(root).size, 4)
    assert sizes(found, "folders", "path") == {
        "/boot": 10,
        "/usr/bin": 90,
        "/usr/lib": 700,
        "/usr/lib/modules": 200,
    }
    assert sizes(found, "packages", "name") == {"bash": 90, "libc6": 700, "linux": 200}
    assert found["unowned"] == {"size": 10, "files": 1}


def test_a_package_that_says_lib_owns_what_lies_in_usr_lib(root: Path) -> None:
    assert contents(root, {"/lib/libc.so": "libc6"})["packages"] == [
        {"name": "libc6", "size": 700, "files": 1}
    ]


def test_small_folders_count_with_their_parents(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALLEST", 10)  # of 1000 bytes: what is below 100 does not stand alone
    found: dict[str, Any] = contents(root, OWNERS)
    assert sizes(found, "folders", "path") == {
        "/": 10,
        "/usr": 90,
        "/usr/lib": 700,
        "/usr/lib/modules": 200,
    }
    assert sum(entry["files"] for entry in found["folders"]) == 4


def test_the_largest_files_come_with_their_packages(root: Path) -> None:
    listed: Any = contents(root, OWNERS)["largest"]
    assert [(entry["path"], entry["package"]) for entry in listed] == [
        ("/usr/lib/libc.so", "libc6"),
        ("/usr/lib/modules/a.ko", "linux"),
        ("/usr/bin/bash", "bash"),
        ("/boot/initrd", None),
    ]


def test_names_that_are_not_utf8_are_told_in_escapes(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "menu").write_bytes(b"x")
    found: Any = contents(tmp_path, {str(PurePosixPath("/", folder.name, "menu")): "cafe"})
    assert [entry["path"] for entry in found["folders"]] == [r"/caf\xe9"]
    assert found["packages"] == [{"name": "cafe", "size": 1, "files": 1}]


def test_an_empty_root_is_told_as_one(tmp_path: Path) -> None:
    found = contents(tmp_path, {})
    assert (found["size"], found["folders"], found["packages"]) == (0, [], [])
