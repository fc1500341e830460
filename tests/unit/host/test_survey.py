from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import StorageError
from crossbuild.host.survey import survey, walk

P = PurePosixPath


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/file").write_bytes(b"12345")
    (tmp_path / "a.txt").write_bytes(b"1")
    os.link(tmp_path / "b/file", tmp_path / "c")
    (tmp_path / "d").symlink_to("/nowhere")
    return tmp_path


def test_the_walk_is_sorted_folder_by_folder(tree: Path) -> None:
    assert [entry.path for entry in walk(tree)] == [b"/", b"/a.txt", b"/b", b"/b/file", b"/c", b"/d"]


def test_entries_are_counted_and_hard_links_weigh_once(tree: Path) -> None:
    found = survey(tree)
    assert (found.files, found.directories, found.links, found.size) == (3, 2, 1, 6)


def test_a_link_to_a_folder_is_not_followed(tree: Path) -> None:
    (tree / "loop").symlink_to(".")
    assert survey(tree).directories == 2


def test_a_sparse_file_of_4_gib_is_oversized(tree: Path) -> None:
    for name, size in (("largest", (1 << 32) - 1), ("too-large", 1 << 32)):
        with (tree / name).open("wb") as file:
            file.truncate(size)
    assert survey(tree).oversized == (P("/too-large"),)


def test_odd_names_survive_and_are_named(tree: Path) -> None:
    for name in (b"caf\xe9", b"two\nlines"):
        (tree / os.fsdecode(name)).mkdir()
    (tree / os.fsdecode(b"caf\xe9") / "inside").touch()
    assert survey(tree).odd_names == (P("/caf\udce9"), P("/two\nlines"))


def test_sockets_and_attributes_are_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.setxattr(tree / "a.txt", "user.comment", b"x")
    monkeypatch.chdir(tree)  # the path of a socket may have 108 bytes only
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    found = survey(tree)
    assert found.sockets == (P("/socket"),)
    assert found.attributes == (P("/a.txt"),)
    assert found.capabilities == ()


@pytest.fixture
def deep_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        Path("d").mkdir()
        os.chdir("d")
    yield tmp_path
    for _ in range(1200):  # pytest itself cannot remove a tree this deep
        os.chdir("..")
        Path("d").rmdir()


def test_a_tree_deeper_than_the_call_stack_is_walked(deep_tree: Path) -> None:
    assert survey(deep_tree).directories == 1201


def test_a_missing_tree_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        survey(tmp_path / "none")
    assert "none" in caught.value.brief
    assert caught.value.resolution
