from __future__ import annotations

import os

import pytest

from crossbuild.cli.screen import Screen

from .terminal import FakeTerminal


@pytest.fixture(autouse=True)
def known_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the developer's own terminal and configuration into the tests."""
    config = tmp_path_factory.mktemp("config")
    (config / "crossbuild").mkdir()
    (config / "crossbuild/config.yaml").write_text("{}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> FakeTerminal:
    """Return a terminal whose size `Screen` learns without a system call."""
    fake = FakeTerminal()

    def size(_: Screen) -> os.terminal_size:
        return fake.size

    monkeypatch.setattr(Screen, "size", property(size))
    return fake
