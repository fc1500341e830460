"""The page for users of cross-sms-aarch64: what it tells them to type exists."""

from __future__ import annotations

import re

import pytest

from crossbuild.cli.main import main
from tests.documents import CHECKOUT, crossbuild_arguments
from tests.unit.test_architecture import parse

PAGE = "docs/how-to/move-from-cross-sms-aarch64.md"
ROWS = [
    line.strip("| ").split(" | ") for line in (CHECKOUT / PAGE).read_text().splitlines() if "` | " in line
]
COMMANDS = sorted(
    {
        word
        for _old, new in (row for row in ROWS if len(row) == 2)
        for word in re.findall(r"`([^`]+)`", new)
        if word.startswith("crossbuild ")
    }
)
NEEDS = {
    "crossbuild artifacts verify": "out",
    "crossbuild build": "spec.yaml",
    "crossbuild register warewulf3": "out",
    "crossbuild root create": "toolbox",
    "crossbuild root run": "toolbox true",
}
"""Commands that are named without what they work on."""


def test_rows_have_an_old_and_a_new_side() -> None:
    assert {len(row) for row in ROWS} == {2}
    assert len(ROWS) > 40


@pytest.mark.parametrize("command", COMMANDS)
def test_every_new_command_exists(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.Path.convert", lambda _self, value, _param, _context: value)
    whole = f"{command} {NEEDS.get(command, '')}"
    for words in crossbuild_arguments(whole):
        parse(main, words)
