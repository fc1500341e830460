"""Builders of the tests, as a user runs commands in them."""

from __future__ import annotations

import json

from crossbuild.host.command import capture
from tests.integration.conftest import CommandLine


class TestBuilder:
    """Runs commands in one builder."""

    __test__ = False

    def __init__(self, crossbuild: CommandLine, name: str) -> None:
        self.crossbuild, self.name = crossbuild, name

    def argv(self, *words: str) -> list[str]:
        return self.crossbuild.argv("run", "--builder", self.name, *words)

    def sh(self, script: str, *words: str, status: int = 0, stdin: str = "") -> str:
        argv = self.argv("sh", "-c", script, "sh", *words)
        result = capture(argv, stdin=stdin, check=False)
        assert result.status == status, result.stderr
        return result.stdout

    def record(self) -> dict[str, list[dict[str, object]]]:
        shown = self.crossbuild("builder", "show", self.name, "--json").stdout
        value = json.loads(shown)
        assert isinstance(value, dict)
        return value
