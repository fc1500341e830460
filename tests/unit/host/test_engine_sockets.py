from __future__ import annotations

import os

import pytest

from crossbuild.host.engine_sockets import engine_address, socket_path


@pytest.mark.parametrize(("name", "variable"), [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST")])
def test_the_variable_of_the_engines_own_client_wins(
    name: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable, raising=False)
    assert engine_address(name).endswith(f"{name}.sock")
    monkeypatch.setenv(variable, "unix:///elsewhere/socket")
    assert engine_address(name) == "unix:///elsewhere/socket"


@pytest.mark.parametrize(
    ("user", "runtime", "path"),
    [
        (0, "/run/user/0", "unix:///run/podman/podman.sock"),
        (1000, "/run/user/1000", "unix:///run/user/1000/podman/podman.sock"),
        (1000, "", "unix:///run/podman/podman.sock"),
    ],
)
def test_podman_is_the_users_own_unless_he_is_root(
    user: int, runtime: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTAINER_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert engine_address("podman") == path


def test_only_unix_sockets_are_of_this_host() -> None:
    assert socket_path("unix:///run/x") == "/run/x"
    assert socket_path("tcp://elsewhere:2376") is None
    assert socket_path("ssh://elsewhere") is None
