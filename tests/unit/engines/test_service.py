from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from crossbuild.engines import service
from crossbuild.engines.service import wake
from crossbuild.errors import HostNotReadyError
from crossbuild.model.builder import EngineKind


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose engines are installed and do not run."""
    path = tmp_path / "run/api.sock"
    for name in ("DOCKER_HOST", "CONTAINER_HOST"):
        monkeypatch.setenv(name, f"unix://{path}")
    monkeypatch.setattr(service, "find", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(service, "systemd_runs", lambda: False)
    monkeypatch.setattr(service, "detached", lambda argv, env: pytest.fail("started"))
    return path


def test_docker_is_not_started_but_told(silent: Path) -> None:
    with pytest.raises(HostNotReadyError) as caught:
        wake(EngineKind.DOCKER)
    assert str(silent) in caught.value.details
    assert "systemctl start docker" in caught.value.resolution


def test_an_engine_that_is_not_installed_is_told(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "find", lambda program: None)
    with pytest.raises(HostNotReadyError, match="not installed"):
        wake(EngineKind.PODMAN)


def test_an_engine_of_another_host_cannot_hold_builders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2376")
    with pytest.raises(HostNotReadyError, match="not on this host"):
        wake(EngineKind.DOCKER)


def test_podman_is_started_and_ends_by_itself(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []

    def start(argv: Sequence[str], env: dict[str, str]) -> None:
        started.append(argv)
        assert "CONTAINER_HOST" not in env

    monkeypatch.setattr(service, "detached", start)
    monkeypatch.setattr(service, "ping", lambda path: "" if started else f"{path} does not exist.")
    assert wake(EngineKind.PODMAN) == str(silent)
    assert [list(argv) for argv in started] == [
        ["podman", "system", "service", f"--time={service.IDLE}", f"unix://{silent}"]
    ]
    assert silent.parent.is_dir()


def test_a_podman_that_does_not_come_up_is_told(silent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "detached", lambda argv, env: None)
    monkeypatch.setattr(service, "PATIENCE", 0)
    with pytest.raises(HostNotReadyError, match="does not answer"):
        wake(EngineKind.PODMAN)


def test_a_socket_that_may_not_be_opened_needs_other_rights(
    silent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ping", lambda path: f"This user may not open {path}.")
    with pytest.raises(HostNotReadyError) as caught:
        wake(EngineKind.PODMAN)
    assert "sudo" in caught.value.resolution
