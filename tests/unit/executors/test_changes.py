"""A kept tree and what changed since make the tree that was meant, and nothing outside it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.errors import CommandFailedError
from crossbuild.executors import trees
from crossbuild.executors.changes import NOTHING, TICK, apply, changes_since, glance
from tests.tree_comparison import differences, read_tree

LONG_AGO = 1_600_000_000


def make_tree(root: Path) -> None:
    for folder in ("etc", "usr/lib", "var/cache/apt", "empty"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text("root")
    (root / "etc/shadow").write_text("secret")
    (root / "usr/lib/one").write_text("one")
    (root / "usr/lib/other").hardlink_to(root / "usr/lib/one")
    (root / "usr/lib/alone").write_text("alone")
    (root / "var/cache/apt/list").write_text("list")
    (root / "lib").symlink_to("usr/lib")
    (root / os.fsdecode(b"not \xff UTF-8\n")).touch()
    for path in (*root.rglob("*"), root):
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


def rewrite_in_place(root: Path) -> None:
    path = root / "etc/passwd"
    path.write_text("toor")
    # As long, and as old: only the kernel knows.
    os.utime(path, (LONG_AGO, LONG_AGO))


def replace_by_rename(root: Path) -> None:
    (root / "etc/passwd+").write_text("new")
    (root / "etc/passwd+").rename(root / "etc/passwd")


def swap_folders(root: Path) -> None:
    (root / "etc").rename(root / "etc.old")
    (root / "usr").rename(root / "etc")
    (root / "etc.old").rename(root / "usr")


def remove_most(root: Path) -> None:
    shutil.rmtree(root / "var")
    (root / "usr/lib/one").unlink()
    (root / os.fsdecode(b"not \xff UTF-8\n")).unlink()


def turn_folder_into_file(root: Path) -> None:
    shutil.rmtree(root / "var/cache")
    (root / "var/cache").write_text("a file")


def turn_file_into_folder(root: Path) -> None:
    (root / "etc/passwd").unlink()
    (root / "etc/passwd/deep").mkdir(parents=True)
    (root / "etc/passwd/deep/file").touch()


def turn_link_into_folder(root: Path) -> None:
    (root / "lib").unlink()
    (root / "lib").mkdir()
    (root / "lib/inner").touch()


def turn_folder_into_link(root: Path) -> None:
    shutil.rmtree(root / "var/cache")
    (root / "var/cache").symlink_to("/empty")


def change_one_of_two_names(root: Path) -> None:
    (root / "usr/lib/other").write_text("both")
    (root / "usr/third").hardlink_to(root / "usr/lib/alone")


def change_modes(root: Path) -> None:
    (root / "etc/shadow").chmod(0o600)
    (root / "empty").chmod(0o1777)


def change_nothing(_root: Path) -> None: ...


CHANGES = (
    rewrite_in_place,
    replace_by_rename,
    swap_folders,
    remove_most,
    turn_folder_into_file,
    turn_file_into_folder,
    turn_link_into_folder,
    turn_folder_into_link,
    change_one_of_two_names,
    change_modes,
    change_nothing,
)


def settle() -> None:
    """Wait until what was written is older than what always counts as changed."""
    time.sleep(2 * TICK / 1e9)


@pytest.mark.parametrize("settled", [True, False], ids=["settled", "at once"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_tree_becomes_the_other_one(change: Callable[[Path], None], settled: bool, tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    make_tree(there)
    trees.pack(there, tmp_path / "kept")
    if settled:
        settle()
    before = glance(there)
    change(there)
    found = changes_since(before, there)
    trees.pack_some(there, found.present, tmp_path / "new")

    here.mkdir()
    trees.unpack(tmp_path / "kept", here)
    apply(found.removed, tmp_path / "new", here, tmp_path / "scratch")
    assert differences(read_tree(there), read_tree(here)) == {}


def test_only_what_changed_travels(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make_tree(root)
    settle()
    before = glance(root)
    rewrite_in_place(root)
    (root / "var/cache/apt/list").unlink()
    found = changes_since(before, root)
    assert found.removed == ("/var/cache/apt/list",)
    assert found.present == (b"/", b"/etc", b"/etc/passwd", b"/var", b"/var/cache", b"/var/cache/apt")


def test_from_nothing_everything_is_new(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make_tree(root)
    found = changes_since(NOTHING, root)
    assert found.removed == ()
    assert len(found.present) == 1 + sum(1 for _ in root.rglob("*"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    return outside


def test_names_that_were_removed_do_not_lead_out(tmp_path: Path, victim: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(victim)
    trees.pack_some(root, [b"/"], tmp_path / "new")
    apply(["/link/file", "/../outside/file"], tmp_path / "new", root, tmp_path / "scratch")
    assert (victim / "file").read_text() == "mine"


def test_links_of_the_tree_are_not_followed(tmp_path: Path, victim: Path) -> None:
    """A host that lies sends a tree with a link, and then a file below it."""
    lying, root = tmp_path / "lying", tmp_path / "root"
    (lying / "link").mkdir(parents=True)
    (lying / "link/file").write_text("yours")
    trees.pack(lying, tmp_path / "new")
    root.mkdir()
    (root / "link").symlink_to(victim)
    with pytest.raises(CommandFailedError):
        apply([], tmp_path / "new", root, tmp_path / "scratch")
    assert (victim / "file").read_text() == "mine"
