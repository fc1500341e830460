"""Programs of an image for an initramfs, with all that they need to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.booting.tools import copy_tools
from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture
from tests.unit.trees import X86_64, library, make_root, program

ROOT: dict[str, bytes | str] = {
    "/usr/lib/ld-linux-aarch64.so.1": library("ld-linux-aarch64.so.1"),
    "/lib": "usr/lib",
    "/bin": "usr/bin",
    "/usr/lib/aarch64-linux-gnu/libc.so.6": library("libc.so.6", "ld-linux-aarch64.so.1"),
    "/usr/lib/aarch64-linux-gnu/libkmod.so.2.4": library("libkmod.so.2", "libc.so.6", "libz.so.1"),
    "/usr/lib/aarch64-linux-gnu/libkmod.so.2": "libkmod.so.2.4",
    "/usr/lib/aarch64-linux-gnu/libz.so.1": library("libz.so.1"),
    "/usr/bin/kmod": program("libkmod.so.2", "libc.so.6"),
    "/usr/sbin/modprobe": "../bin/kmod",
    "/usr/bin/bash": program("libc.so.6"),
    "/usr/bin/script": b"#!/bin/bash\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "root", ROOT).path


def test_a_program_comes_with_its_loader_and_with_what_its_libraries_need(root: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    copy_tools(root, Architecture.AARCH64, ("modprobe", "script"), tree)
    assert sorted(path.name for path in (tree / "bin").iterdir()) == ["modprobe", "script"]
    assert {path.name for path in (tree / "lib").iterdir()} == {
        "ld-linux-aarch64.so.1", "libc.so.6", "libkmod.so.2", "libz.so.1",
    }  # fmt: skip
    # A link in the image is a file here: what it leads to has another name.
    assert (tree / "bin/modprobe").read_bytes() == (root / "usr/bin/kmod").read_bytes()
    assert (tree / "lib64/libkmod.so.2").is_file()
    assert (tree / "usr/bin/script").is_file()


def test_what_is_not_there_is_named_unless_it_was_only_wished_for(root: Path, tmp_path: Path) -> None:
    copy_tools(root, Architecture.AARCH64, ("bash",), tmp_path / "one", wanted=("zstd",))
    with pytest.raises(ArtifactError) as caught:
        copy_tools(root, Architecture.AARCH64, ("bash", "ip", "cpio"), tmp_path / "two", wanted=("zstd",))
    assert caught.value.details == "Not there: ip, cpio."


def test_a_library_for_another_machine_does_not_come_along(root: Path, tmp_path: Path) -> None:
    place = root / "usr/lib/aarch64-linux-gnu/libz.so.1"
    place.write_bytes(library("libz.so.1", machine=X86_64))
    copy_tools(root, Architecture.AARCH64, ("modprobe",), tmp_path / "tree")
    assert not (tmp_path / "tree/lib/libz.so.1").exists()
