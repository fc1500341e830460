"""What `crossbuild node` refuses, and what it does without asking any node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.cli.main import run
from crossbuild.nodes.store import NodeStore
from tests.unit.nodes.values import make_node


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"state: {tmp_path}/state\n")
    return path


@pytest.fixture
def store(tmp_path: Path) -> NodeStore:
    found = NodeStore(tmp_path / "state")
    found.add(make_node())
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "arm1; reboot"], "is no address of a node"),
        (["add", "::1"], "Give the node one with --name"),
        (["add", "arm1", "--name", "auto"], "cannot be the name"),
        (["add", "arm1"], "There is a node `arm1` already"),
        (["add", "arm2", "--folder", "/"], "must be an absolute path below /"),
        (["add", "arm2", "--folder", "/a/../b"], "must be an absolute path below /"),
        (["add", "arm2", "--folder", "/a b"], "without spaces"),
        (["add", "arm2", "--label", "xname"], "must be KEY=VALUE"),
        (["add", "arm2", "--label", "a=1", "--label", "a=2"], "must be KEY=VALUE"),
        (["status", "arm2"], "There is no node `arm2`"),
        (["status", "--ims"], "says how --json prints it"),
        (["drain", "../arm1"], "There is no node"),
        (["remove", "arm2"], "Known are: arm1"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("store")
def test_what_makes_no_sense_is_refused(
    arguments: list[str], said: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--config", str(config), "node", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_draining_is_kept_and_taken_back(
    config: Path, store: NodeStore, capsys: pytest.CaptureFixture[str]
) -> None:
    node = ["--config", str(config), "node"]
    assert run([*node, "drain", "arm1", "--reason", "disk"]) == 0
    assert store.load("arm1").drained == "disk"
    capsys.readouterr()
    run([*node, "list", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["drained"] == "disk"
    assert run([*node, "resume", "arm1"]) == 0
    assert store.load("arm1").drained is None


def test_without_nodes_the_lists_are_empty(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "status"):
        assert run(["--config", str(config), "node", command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == []
