"""A run that is as usual is recognised, and everything else is left to the command itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from crossbuild.cli import quick


@pytest.mark.parametrize(
    ("words", "config", "builder", "command"),
    [
        (["run", "true"], "", "default", ["true"]),
        (["run", "--", "--help"], "", "default", ["--help"]),
        (["run", "--", "--", "x"], "", "default", ["--", "x"]),
        (["run", "-b", "tools", "ls", "-b", "--"], "", "tools", ["ls", "-b", "--"]),
        (["-C", "a/b.yaml", "run", "--builder", "x", "--", "a b"], "a/b.yaml", "x", ["a b"]),
    ],
)
def test_a_plain_run_is_understood(words: list[str], config: str, builder: str, command: list[str]) -> None:
    request = quick.parsed(words)
    assert request is not None
    assert (request.config, request.builder, list(request.command)) == (config, builder, command)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["run", "--"],
        ["run", "--help"],
        ["run", "--changes", "true"],
        ["run", "--builder=x", "true"],
        ["run", "-b"],
        ["run", "-b", "x"],
        ["run", "-bx", "true"],
        ["run", "-b", "x", "--changes", "true"],
        ["shell"],
        ["--config=x", "run", "true"],
        ["-C"],
        ["--version"],
    ],
)
def test_everything_else_is_left_to_the_command(words: list[str]) -> None:
    assert quick.parsed(words) is None


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Path]:
    """The note of a run, and the files that it was found out from; the second one is not there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = {"record": tmp_path / "builder.json", "config": tmp_path / "config.yaml"}
    files["record"].write_text("{}")
    paths = [str(path) for path in files.values()]
    quick.leave_note(REQUEST, paths, socket="s", container="c", lock="l", open="o")
    return {**files, "note": tmp_path / "cache/crossbuild/runs/tools.json"}


REQUEST = quick.Request("", "tools", ["true"])


def test_what_was_noted_is_recalled(noted: Mapping[str, Path]) -> None:
    note = quick._recalled(REQUEST)
    assert note is not None
    assert (note["socket"], note["container"], note["lock"], note["open"]) == ("s", "c", "l", "o")
    assert quick._recalled(quick.Request("", "other", ["true"])) is None
    assert quick._recalled(quick.Request("/x", "tools", ["true"])) is None


@pytest.mark.parametrize("name", ["record", "config"])
def test_a_file_that_changed_makes_the_note_void(noted: Mapping[str, Path], name: str) -> None:
    noted[name].write_text("changed")
    assert quick._recalled(REQUEST) is None


@pytest.mark.usefixtures("noted")
def test_another_engine_makes_the_note_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    assert quick._recalled(REQUEST) is None


def test_a_note_that_others_may_write_is_not_trusted(noted: Mapping[str, Path]) -> None:
    noted["note"].chmod(0o666)
    assert quick._recalled(REQUEST) is None


def test_a_damaged_note_is_none(noted: Mapping[str, Path]) -> None:
    noted["note"].write_text("{")
    assert quick._recalled(REQUEST) is None


def test_package_managers_are_left_to_the_command(noted: Mapping[str, Path]) -> None:
    assert quick.attempt(["run", "-b", "tools", "/usr/bin/yum", "install", "x"]) is None


def test_a_lock_that_is_gone_is_left_to_the_command(noted: Mapping[str, Path]) -> None:
    assert not Path("l").exists()
    assert quick.attempt(["run", "-b", "tools", "true"]) is None
