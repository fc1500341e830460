"""Programs that must know the user find him, in whatever namespace."""

from __future__ import annotations

import os

import pytest

from crossbuild.host import caller
from crossbuild.nodes.client import control_socket, ssh


def test_nothing_is_changed_where_nobody_has_moved() -> None:
    assert caller.as_caller(["ssh", "arm1"]) == ["ssh", "arm1"]
    assert caller.user_id() == os.geteuid()


def test_ssh_runs_as_the_user_who_became_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "_outside", None)
    caller.note_namespace(1000, 100)
    assert caller.user_id() == 1000
    words = ["unshare", "--user", "--map-user=1000", "--map-group=100", "--", "ssh"]
    assert ssh("arm1", ["-T"])[: len(words)] == words


def test_both_sides_of_the_namespace_share_a_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    known_hosts = tmp_path_factory.mktemp("state") / "known_hosts"
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(caller, "_outside", (4711, 4711))
    found = control_socket("arm1", known_hosts)
    try:
        assert found.parent.name == "crossbuild-4711"
    finally:
        found.parent.rmdir()
