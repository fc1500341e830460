"""Scratch folders go with their process, and results appear whole."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
from pathlib import Path

import pytest

from crossbuild.host.locks import locked
from crossbuild.host.publish import publish
from crossbuild.host.workspace import surplus, workspace


def folders(parent: Path) -> list[str]:
    return [path.name for path in parent.iterdir() if path.is_dir()]


def test_a_workspace_goes_also_after_an_error(tmp_path: Path) -> None:
    with contextlib.suppress(ValueError), workspace(tmp_path, "a") as folder:
        (folder / "file").touch()
        raise ValueError
    assert folders(tmp_path) == []


def test_workspaces_lie_far_from_each_other_where_the_file_system_can(tmp_path: Path) -> None:
    probe, parent = tmp_path / "probe", tmp_path / "parent"
    probe.mkdir()
    possible = subprocess.run(["chattr", "+T", probe], check=False, capture_output=True).returncode == 0
    for _ in range(2):
        with workspace(parent, "a"):
            flags = subprocess.run(
                ["lsattr", "-d", parent], check=False, capture_output=True, text=True
            ).stdout
            assert ("T" in flags.partition(" ")[0]) == possible


def _hold_and_die(parent: Path) -> None:
    with workspace(parent, "killed") as folder:
        (folder / "file").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_left_goes_with_the_next_workspace(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join()
    assert [name.split(".")[0] for name in folders(tmp_path)] == ["killed"]
    with workspace(tmp_path, "next"), workspace(tmp_path, "other"):
        # Neither the killed one is left, nor is one of the two in use taken away.
        assert sorted(name.split(".")[0] for name in folders(tmp_path)) == ["next", "other"]


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_is_published_in_one_step(tmp_path: Path, before: bool) -> None:
    target, new = tmp_path / "set", tmp_path / "new"
    if before:
        target.mkdir()
        (target / "old").touch()
    new.mkdir()
    (new / "fresh").touch()
    publish(new, target)
    assert [path.name for path in target.iterdir()] == ["fresh"]
    assert not new.exists()


def test_a_lock_that_is_free_is_taken_without_a_word(tmp_path: Path) -> None:
    said: list[str] = []
    with locked(tmp_path / "thing", "the thing", said.append):
        pass
    assert said == []


def test_what_was_used_last_stays_and_what_is_gone_does_not_count(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("old", "new", "middle")]
    for path, used in zip(paths, (1, 3, 2), strict=True):
        path.touch()
        os.utime(path, (used, used))
    assert surplus([tmp_path / "gone", *paths], 2) == [tmp_path / "old"]
