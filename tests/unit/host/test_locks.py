"""Locks are shared or not, and waiting is announced once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crossbuild.host.locks import held, held_if_free, is_held


def test_one_that_is_held_alone_is_not_free(tmp_path: Path) -> None:
    with held(tmp_path / "lock"), held_if_free(tmp_path / "lock") as free:
        assert not free
    assert not is_held(tmp_path / "lock")


def test_one_that_is_shared_can_be_shared_further_and_not_be_held_alone(tmp_path: Path) -> None:
    with held(tmp_path / "lock", shared=True), held(tmp_path / "lock", shared=True):
        assert is_held(tmp_path / "lock")


def test_whoever_waits_says_so_first(tmp_path: Path) -> None:
    class WaitingError(Exception):
        pass

    def waiting() -> None:
        raise WaitingError

    with (
        held(tmp_path / "lock", shared=True),
        pytest.raises(WaitingError),
        held(tmp_path / "lock", waiting=waiting),
    ):
        pass
    assert not is_held(tmp_path / "lock")


def test_a_copy_of_the_process_holds_it_until_it_ends(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with held(tmp_path / "lock"):
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
    assert is_held(tmp_path / "lock")
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)
    assert not is_held(tmp_path / "lock")
