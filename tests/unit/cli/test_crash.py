from __future__ import annotations

import stat
from pathlib import Path

import pytest

from crossbuild import __version__
from crossbuild.cli.crash import without_secrets, write_crash_log


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("crossbuild.cli.crash._state_folder", lambda: tmp_path / "state" / "crashes")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


ERROR = ValueError("https://user:hunter2@mirror.example/debian")


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["build", "x.yaml"], ["build", "x.yaml"]),
        (["register", "--token", "abc", "x"], ["register", "--token", "***", "x"]),
        (["register", "--s3-secret-key=abc"], ["register", "--s3-secret-key=***"]),
        (["build", "--password="], ["build", "--password=***"]),
        (["build", "http://me:pw@proxy:3128/"], ["build", "http://***@proxy:3128/"]),
        (["build", "me@host"], ["build", "me@host"]),
    ],
)
def test_secrets_are_not_shown(argv: list[str], shown: list[str]) -> None:
    assert without_secrets(argv) == shown


def test_log_has_what_a_developer_needs_and_no_secrets(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_PASSWORD", "hunter3")
    log = write_crash_log(ERROR, ["build", "my spec.yaml", "--token", "hunter4"])
    assert log is not None
    assert log.parent == places / "state" / "crashes"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    for wanted in (
        __version__,
        "crossbuild build 'my spec.yaml'",
        "click 8",
        "Linux",
        "ValueError",
        "mirror.example",
    ):
        assert wanted in text
    assert "hunter" not in text


def test_log_goes_to_the_temporary_folder_if_the_state_takes_none(places: Path) -> None:
    (places / "state").write_text("a file where a folder should be")
    log = write_crash_log(ERROR, [])
    assert log is not None
    assert log.parent == places / "temporary"


def test_no_folder_no_log(places: Path) -> None:
    (places / "state").write_text("")
    (places / "temporary").rmdir()
    (places / "temporary").write_text("")
    assert write_crash_log(ERROR, []) is None
