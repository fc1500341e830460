from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.errors import StorageError
from crossbuild.formats.aarch64 import assemble
from crossbuild.host.probe import SOURCE, STATUS, Outcome, parse_outcome, probe_in

PRINTED = "argc=2\nargv0=my name\nuid=65534\neuid=0\nmachine=aarch64\n"


def test_the_programs_words_are_read() -> None:
    assert parse_outcome(PRINTED, STATUS) == Outcome(
        argc=2, argv0="my name", uid=65534, euid=0, machine="aarch64"
    )


@pytest.mark.parametrize(
    ("stdout", "status", "reason"),
    [
        pytest.param(PRINTED, 0, "status 0 instead of 42", id="another program's status"),
        pytest.param("", STATUS, "status 42", id="no words"),
        pytest.param(PRINTED.replace("aarch64", "x86_64"), STATUS, "x86_64", id="not emulated"),
        pytest.param(PRINTED.replace("argc=2", "argc=:"), STATUS, "computes wrongly", id="no number"),
    ],
)
def test_nothing_else_is_mistaken_for_the_program(stdout: str, status: int, reason: str) -> None:
    assert reason in parse_outcome(stdout, status).reason


def test_the_program_assembles() -> None:
    assert b"machine=" in assemble(SOURCE)


def test_the_program_leaves_nothing_behind(tmp_path: Path) -> None:
    with probe_in(tmp_path) as probe:
        assert probe.path.stat().st_mode & 0o777 == 0o755
        assert list(probe.path.parent.iterdir()) == [probe.path]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="absent"), probe_in(tmp_path / "absent"):
        pass


def test_an_error_of_the_caller_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), probe_in(tmp_path):
        raise FileNotFoundError
