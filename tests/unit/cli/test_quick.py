"""A run that is as usual is recognised, and everything else is left to the command itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossbuild.cli import quick
from crossbuild.host.locks import held


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


REQUEST = quick.Request("", "tools", ["true"])


@dataclass
class Noted:
    """The note of a run, and what it was found out from; the configuration is not there."""

    note: Path
    record: Path
    config: Path
    lock: Path
    open: Path
    ran: list[tuple[str, tuple[str, ...]]]
    """Container and command of what was run."""


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noted:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ran: list[tuple[str, tuple[str, ...]]] = []

    def run(note: Mapping[str, str], command: Sequence[str]) -> int:
        ran.append((note["container"], tuple(command)))
        return 7

    monkeypatch.setattr(quick, "_run", run)
    record, config, lock = tmp_path / "builder.json", tmp_path / "config.yaml", tmp_path / "lock"
    record.write_text("{}")
    lock.touch()
    files = {str(path): quick.state_of(str(path)) for path in (record, config)}
    quick.leave_note(REQUEST, files, socket="s", container="c", lock=str(lock), open=str(tmp_path / "open"))
    (note,) = (tmp_path / "cache/crossbuild/runs").iterdir()
    return Noted(note=note, record=record, config=config, lock=lock, open=tmp_path / "open", ran=ran)


def attempted(*words: str) -> int | None:
    return quick.attempt(["run", "-b", "tools", *words])


def test_a_run_that_was_noted_is_run_at_once(noted: Noted) -> None:
    assert attempted("true", "--help") == 7
    assert noted.ran == [("c", ("true", "--help"))]


@pytest.mark.parametrize(
    "words", [["run", "-b", "other", "true"], ["-C", "/x", "run", "-b", "tools", "true"]]
)
def test_a_note_is_for_its_own_builder_and_configuration(noted: Noted, words: list[str]) -> None:
    assert (quick.attempt(words), noted.ran) == (None, [])


def test_a_note_under_another_s_name_is_void(noted: Noted) -> None:
    noted.note.write_text(noted.note.read_text().replace("tools\0", "other\0"))
    assert (attempted("true"), noted.ran) == (None, [])


@pytest.mark.parametrize("name", ["record", "config"])
def test_a_file_that_changed_makes_the_note_void(noted: Noted, name: str) -> None:
    getattr(noted, name).write_text("changed")
    assert (attempted("true"), noted.ran) == (None, [])


def test_a_change_that_hides_its_time_makes_the_note_void(noted: Noted) -> None:
    before = noted.record.stat()
    noted.record.write_text("[]")
    os.utime(noted.record, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (attempted("true"), noted.ran) == (None, [])


def test_another_engine_makes_the_note_void(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    assert (attempted("true"), noted.ran) == (None, [])


def test_another_version_makes_the_note_void(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "__version__", "99")
    assert (attempted("true"), noted.ran) == (None, [])


def test_a_note_that_others_may_write_is_not_trusted(noted: Noted) -> None:
    noted.note.chmod(0o666)
    assert (attempted("true"), noted.ran) == (None, [])


@pytest.mark.parametrize("content", [b"", b"\0", b"7", b"{}", b"\0" * 20, b"\xff\0" * 11])
def test_a_damaged_note_is_none(noted: Noted, content: bytes) -> None:
    noted.note.write_bytes(content)
    assert (attempted("true"), noted.ran) == (None, [])


def test_half_a_note_is_none(noted: Noted) -> None:
    fields = noted.note.read_bytes().split(b"\0")
    for count in (*range(len(fields) - 3), len(fields) - 2):
        noted.note.write_bytes(b"".join(field + b"\0" for field in fields[:count]))
        assert (attempted("true"), noted.ran) == (None, [])
    noted.note.write_bytes(b"\0".join(fields)[:-1])
    assert (attempted("true"), noted.ran) == (None, [])


@pytest.mark.parametrize("program", ["/usr/bin/yum", "sh", "env"])
def test_what_may_change_packages_is_left_to_the_command(noted: Noted, program: str) -> None:
    assert (attempted(program, "install", "x"), noted.ran) == (None, [])


def test_while_packages_change_a_run_is_left_to_the_command_which_waits(noted: Noted) -> None:
    with held(noted.lock):
        assert (attempted("true"), noted.ran) == (None, [])
    with held(noted.lock, shared=True):
        assert attempted("true") == 7


def test_a_change_that_was_killed_is_left_to_the_command_which_says_so(noted: Noted) -> None:
    noted.open.mkdir()
    (noted.open / "4711").touch()
    assert (attempted("true"), noted.ran) == (None, [])


def test_a_lock_that_is_gone_is_left_to_the_command(noted: Noted) -> None:
    noted.lock.unlink()
    assert (attempted("true"), noted.ran) == (None, [])
