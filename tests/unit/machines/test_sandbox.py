"""What other users of the host can see of a sandbox."""

from __future__ import annotations

import json
import os
from pathlib import Path

from crossbuild.machines.sandbox import Overlay, Sandbox

LAYERS = Overlay(folder=Path("/b/layers"), lower=("0",), upper="1", work="1.work", users=Path("/b/users"))
SANDBOX = Sandbox(root=Path("/b/mounted"), pivot=True, network=False, overlay=LAYERS)


def test_the_environment_is_no_part_of_the_command_line() -> None:
    """It may hold a proxy's password, and everybody can list processes."""
    os.environ["SECRET_OF_A_TEST"] = "very-secret"
    try:
        assert "very-secret" not in " ".join(SANDBOX.argv(["true"]))
    finally:
        del os.environ["SECRET_OF_A_TEST"]


def test_a_command_keeps_its_words_behind_the_description() -> None:
    words = ["a b", "", "--", "-c", "\udcff"]
    assert SANDBOX.argv(words)[-len(words) :] == words


def test_the_description_survives_json() -> None:
    assert json.loads(json.dumps(SANDBOX.spec())) == {**SANDBOX.spec(), "binds": [], "writable": []}
