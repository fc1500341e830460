"""The comparison of trees sees every kind of difference, and nothing where there is none."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.host.survey import Entry
from tests.tree_comparison import differences, found_at, read_tree

EPOCH = 1_700_000_000


def make_tree(root: Path) -> Path:
    """A small tree whose times do not depend on when it is made."""
    (root / "folder").mkdir(parents=True)
    (root / "folder/file").write_text("text")
    (root / "folder/other").write_text("text")
    (root / "link").symlink_to("folder/file")
    os.mkfifo(root / "pipe")
    (root / os.fsdecode(b"not \xff UTF-8")).touch()
    reset_times(root)
    return root


def reset_times(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)


def replace_link(root: Path) -> None:
    (root / "link").unlink()
    (root / "link").symlink_to("folder/other")


def become_folder(root: Path) -> None:
    (root / "pipe").unlink()
    (root / "pipe").mkdir()


def join(root: Path) -> None:
    (root / "folder/other").unlink()
    (root / "folder/other").hardlink_to(root / "folder/file")


CHANGES: list[tuple[str, Callable[[Path], object], dict[str, tuple[str, ...]]]] = [
    ("nothing", lambda root: None, {}),
    ("content", lambda root: (root / "folder/file").write_text("next"), {"/folder/file": ("content",)}),
    ("mode", lambda root: (root / "folder/file").chmod(0o4755), {"/folder/file": ("mode",)}),
    ("mode of a folder", lambda root: (root / "folder").chmod(0o1777), {"/folder": ("mode",)}),
    ("link", replace_link, {"/link": ("content",)}),
    ("kind", become_folder, {"/pipe": ("kind", "mode")}),
    ("hard link", join, {"/folder/file": ("names",), "/folder/other": ("names",)}),
    ("new file", lambda root: (root / "new").touch(), {"/new": ("missing in the one",)}),
    ("lost file", lambda root: (root / "pipe").unlink(), {"/pipe": ("missing in the other",)}),
    (
        "attribute",
        lambda root: os.setxattr(root / "folder/file", "user.note", b"x"),
        {"/folder/file": ("attributes",)},
    ),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(*case, id=name) for name, *case in CHANGES])
def test_every_kind_of_difference_is_seen(
    tmp_path: Path, change: Callable[[Path], object], expected: dict[str, tuple[str, ...]]
) -> None:
    one, other = make_tree(tmp_path / "one"), make_tree(tmp_path / "other")
    change(other)
    reset_times(other)
    assert differences(read_tree(one), read_tree(other)) == expected


@pytest.mark.parametrize("path", ["", "folder/file", "link", os.fsdecode(b"not \xff UTF-8")])
def test_times_are_seen_to_the_nanosecond(tmp_path: Path, path: str) -> None:
    one, other = make_tree(tmp_path / "one"), make_tree(tmp_path / "other")
    os.utime(other / path, ns=(0, EPOCH * 10**9 + 1), follow_symlinks=False)
    assert differences(read_tree(one), read_tree(other)) == {f"/{path}": ("time",)}


def test_owners_are_seen(tmp_path: Path) -> None:
    one = read_tree(make_tree(tmp_path / "one"))
    given_away = {"/pipe": dataclasses.replace(one["/pipe"], owner=(1, 1))}
    assert differences(one, {**one, **given_away}) == {"/pipe": ("owner",)}


def test_devices_are_told_apart_by_their_numbers() -> None:
    null, zero = (
        Entry(b"/device", os.fsencode(place), place.lstat())
        for place in (Path("/dev/null"), Path("/dev/zero"))
    )
    assert (found_at(null, ()).kind, found_at(null, ()).content) == ("character device", "1:3")
    assert found_at(zero, ()).content == "1:5"
