"""Trees of other hosts are given out whole or not at all, and the oldest ones go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.errors import ArtifactError
from crossbuild.executors import trees
from crossbuild.host.digests import sha256_of
from crossbuild.host.locks import held, lock_of
from crossbuild.pipeline.shelf import KEPT, Ahead, Shelf


def ignore(_message: str) -> None: ...


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf", ignore)


def put(shelf: Shelf, folder: Path, content: str = "content") -> str:
    """Put a tree on the shelf and return its digest."""
    tree, packed = folder / f"tree-{content}", folder / f"packed-{content}"
    tree.mkdir()
    (tree / "file").write_text(content)
    trees.pack(tree, packed)
    digest = sha256_of(packed)
    with shelf.filling(digest) as archive:
        packed.rename(archive)
    return digest


def test_a_tree_is_given_out_as_it_came(shelf: Shelf, tmp_path: Path) -> None:
    digest = put(shelf, tmp_path)
    assert shelf.has(digest)
    shelf.unpack(digest, tmp_path / "root")
    assert (tmp_path / "root/file").read_text() == "content"


def test_a_damaged_one_is_not(shelf: Shelf, tmp_path: Path) -> None:
    digest = put(shelf, tmp_path)
    with shelf.filling(digest) as archive, archive.open("r+b") as file:
        file.truncate(archive.stat().st_size - 1)
    with pytest.raises(ArtifactError, match="is not whole"):
        shelf.unpack(digest, tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("digest", ["", "../" + 61 * "a", 63 * "a", 64 * "A", 64 * "a" + "\n"])
def test_no_digest_leads_out_of_the_folder(shelf: Shelf, digest: str) -> None:
    with pytest.raises(ArtifactError, match="digest that is none"):
        shelf.has(digest)


def test_the_oldest_go_unless_somebody_reads_them(shelf: Shelf, tmp_path: Path) -> None:
    digests = [put(shelf, tmp_path, str(number)) for number in range(KEPT)]
    for age, digest in enumerate(reversed(digests)):
        os.utime(tmp_path / f"shelf/{digest}.tar", (1_000_000 - age, 1_000_000 - age))
    with held(lock_of(tmp_path / f"shelf/{digests[0]}.tar"), shared=True):
        put(shelf, tmp_path, "in addition")
        assert shelf.has(digests[0])
    put(shelf, tmp_path, "one more")
    assert [shelf.has(digest) for digest in digests] == [False, False, *[True] * (KEPT - 2)]


def test_what_the_shelf_has_is_unpacked_ahead(shelf: Shelf, tmp_path: Path) -> None:
    digest, other = put(shelf, tmp_path), put(shelf, tmp_path, "other")
    ahead = Ahead()
    ahead.begin(shelf, digest, tmp_path / "root")
    assert ahead.brought(digest)
    assert not ahead.brought(other)
    assert (tmp_path / "root/file").read_text() == "content"


def test_what_it_has_not_or_not_whole_is_not_there(shelf: Shelf, tmp_path: Path) -> None:
    ahead = Ahead()
    ahead.begin(shelf, 64 * "a", tmp_path / "root")
    ahead.settle()
    assert not ahead.brought(64 * "a")
    with shelf.filling(64 * "a") as archive:
        archive.write_text("a part")
    ahead.begin(shelf, 64 * "a", tmp_path / "root")
    assert not ahead.brought(64 * "a")
