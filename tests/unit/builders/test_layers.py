"""Layers show what they showed, however they are frozen, dropped and merged."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.builders import layers


def whiteout(path: Path) -> None:
    # Linux 5.8 and later lets everybody make this one device.
    os.mknod(path, stat.S_IFCHR, 0)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def opaque(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.setxattr(folder, "user.overlay.opaque", b"y")


def seen(*stack: Path) -> dict[str, str]:
    """Return what an overlay of *stack*, the topmost first, shows: path to content."""
    shown: dict[str, str] = {}
    names = {path.name for layer in stack if layer.is_dir() for path in layer.iterdir()}
    for name in names:
        folders: list[Path] = []
        for layer in stack:
            path = layer / name
            if path.is_symlink() or path.is_file():
                if not folders:
                    shown[name] = path.read_text()
                break
            if path.is_dir():
                folders.append(path)
                if layers.is_opaque(path):
                    break
            elif path.exists():
                break
        if folders:
            shown[f"{name}/"] = ""
            shown.update({f"{name}/{below}": text for below, text in seen(*folders).items()})
    return shown


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Three layers, the topmost first, with every way in which one can change another."""
    upper, middle, base = tmp_path / "2", tmp_path / "1", tmp_path / "0"
    for layer in (base, middle):
        write(layer / "same", layer.name)
        write(layer / "folder/kept", layer.name)
        write(layer / "folder/gone", layer.name)
        write(layer / "emptied/old", layer.name)
        write(layer / "gone/below", layer.name)
        write(layer / "to-file/below", layer.name)
        write(layer / "to-folder", layer.name)
    write(base / "folder/deep/base", "0")
    write(base / "back/old", "0")
    whiteout(middle / "back")
    write(base / "hidden/base", "0")
    write(middle / "hidden", "a file in between")
    write(upper / "hidden/upper", "2")
    write(upper / "same", "2")
    write(upper / "new/a", "2")
    write(upper / "folder/added", "2")
    whiteout(upper / "folder/gone")
    whiteout(upper / "gone")
    opaque(upper / "emptied")
    write(upper / "to-file", "2")
    opaque(upper / "to-folder")
    opaque(upper / "back")
    write(upper / "back/new", "2")
    return upper, middle, base


def test_merged_layers_show_what_they_showed(tree: tuple[Path, Path, Path]) -> None:
    upper, middle, base = tree
    # A folder over a file that hides another folder: the overlay shows none of the latter.
    before = seen(upper, middle, base)
    assert "hidden/upper" in before
    assert "hidden/base" not in before
    layers.merge(upper, middle, lowest=False)
    assert list(upper.iterdir()) == []
    assert seen(middle, base) == before


def test_a_merge_that_was_killed_shows_the_same_and_can_be_finished(
    tree: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    upper, middle, base = tree
    before = seen(upper, middle, base)
    rename = Path.rename
    for allowed in range(12):
        left = allowed

        def limited(self: Path, target: Path) -> Path:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return rename(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", limited)
            try:
                layers.merge(upper, middle, lowest=False)
            except KeyboardInterrupt:
                assert seen(upper, middle, base) == before
    layers.merge(upper, middle, lowest=False)
    assert seen(middle, base) == before


def test_a_merge_keeps_modes_and_times_of_folders(tmp_path: Path) -> None:
    upper, lower = tmp_path / "1", tmp_path / "0"
    write(lower / "folder/a", "0")
    write(upper / "folder/b", "1")
    (upper / "folder").chmod(0o1750)
    os.utime(upper / "folder", ns=(1, 2))
    layers.merge(upper, lower, lowest=False)
    status = (lower / "folder").stat()
    assert (status.st_mode & 0o7777, status.st_mtime_ns) == (0o1750, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "0/state", "0")
    layers.begin(tmp_path, "0")
    return tmp_path


def change(folder: Path, content: str) -> None:
    write(folder / layers.read(folder).upper / "state", content)


def state(folder: Path) -> str:
    stack = layers.read(folder)
    return seen(folder / stack.upper, *(folder / name for name in stack.frozen[::-1]))["state"]


def test_a_rollback_returns_to_each_snapshot(folder: Path) -> None:
    for content in ("a", "b", "c"):
        change(folder, content)
        layers.snapshot(folder, content)
    change(folder, "d")
    for content in ("c", "b", "a"):
        layers.rollback(folder, content)
        assert state(folder) == content
        assert content in layers.read(folder).snapshots


def test_a_rollback_drops_what_came_later(folder: Path) -> None:
    layers.snapshot(folder, "early")
    change(folder, "later")
    layers.snapshot(folder, "late")
    layers.rollback(folder, "early")
    assert (set(layers.read(folder).snapshots), state(folder)) == ({"early"}, "0")


def test_layers_that_nobody_needs_apart_become_one(folder: Path) -> None:
    for round_ in range(10):
        change(folder, str(round_))
        layers.snapshot(folder, "before")
        assert state(folder) == str(round_)
        layers.forget(folder, "before")
    assert len(layers.read(folder).frozen) == 1
    assert len(list(folder.iterdir())) == len(["0", "upper", "upper.work", layers.STACK])
    assert state(folder) == "9"


def test_a_snapshot_in_between_survives_that_its_neighbours_are_forgotten(folder: Path) -> None:
    for content in ("a", "b", "c"):
        change(folder, content)
        layers.snapshot(folder, content)
    layers.forget(folder, "a")
    layers.forget(folder, "c")
    assert state(folder) == "c"
    layers.rollback(folder, "b")
    assert state(folder) == "b"


def test_every_snapshot_is_followed_by_a_layer_that_was_never_mounted(folder: Path) -> None:
    """The kernel notes in a layer what lies below it, and refuses it over anything else."""
    before = layers.read(folder).upper
    layers.snapshot(folder, "a")
    assert layers.read(folder).upper != before
    assert list((folder / layers.read(folder).work).iterdir()) == []


def test_a_file_is_fetched_from_the_newest_layer_that_knows_it(tmp_path: Path) -> None:
    folder, target = tmp_path / "layers", tmp_path / "target"
    for name in ("old", "new", "gone"):
        write(folder / "0/etc" / name, "lowest")
    layers.begin(folder, "0")
    upper = folder / layers.read(folder).upper
    write(upper / "etc/new", "newest")
    whiteout(upper / "etc/gone")
    layers.fetch(folder, [PurePosixPath("/etc", name) for name in ("old", "new", "gone", "none")], target)
    found = {path.name: path.read_text() for path in (target / "etc").iterdir()}
    assert found == {"old": "lowest", "new": "newest"}


def test_in_the_lowest_layer_nothing_is_left_that_hides(tmp_path: Path) -> None:
    """There it would be listed: a name without a file, at which chown(1) and tar(1) fail."""
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for name in ("kept", "gone", "folder/kept", "folder/gone", "new/old"):
        write(lower / name, "lower")
    opaque(upper / "new")
    write(upper / "new/inner/file", "upper")
    whiteout(upper / "new/inner/gone")
    (upper / "folder").mkdir()
    whiteout(upper / "folder/gone")
    whiteout(upper / "gone")
    before = seen(upper, lower)
    layers.merge(upper, lower, lowest=True)
    listed = {str(path.relative_to(lower)) for path in lower.rglob("*")}
    assert listed == {"kept", "folder", "folder/kept", "new", "new/inner", "new/inner/file"}
    assert seen(lower) == before
    assert not layers.is_opaque(lower / "new")


@pytest.mark.parametrize("hiding", ["whiteout", "opaque"])
def test_what_hides_a_folder_hides_the_files_in_it(tmp_path: Path, hiding: str) -> None:
    folder, target = tmp_path / "layers", tmp_path / "target"
    write(folder / "0/var/lib/status", "lowest")
    layers.begin(folder, "0")
    upper = folder / layers.read(folder).upper
    if hiding == "opaque":
        opaque(upper / "var/lib")
    else:
        (upper / "var").mkdir()
        whiteout(upper / "var/lib")
    layers.fetch(folder, [PurePosixPath("/var/lib/status")], target)
    assert not target.exists()
