"""The table of the vendor's commands names commands that exist."""

from __future__ import annotations

import re

import click
import pytest

from crossbuild.cli.main import main
from tests.documents import CHECKOUT, column

OURS = column("docs/how-to/ims.md", "## Commands of the vendor's documentation", 1)


@pytest.mark.parametrize("line", [line for line in OURS if line.startswith("crossbuild ")])
def test_each_counterpart_is_a_command(line: str) -> None:
    command: click.Command = main
    for word in line.split()[1:]:
        if isinstance(command, click.Group):
            below = command.get_command(click.Context(command), word)
            assert below, line
            command = below
    assert not isinstance(command, click.Group)


def test_the_rest_is_in_files_that_are_written() -> None:
    text = (CHECKOUT / "docs/how-to/ims.md").read_text().split("## Commands of the vendor's documentation")[1]
    named = set(re.findall(r"`(?:boot|node)/([a-z.-]+)", text))
    assert len(named) == 6
    assert [name for name in named if not (CHECKOUT / f"templates/ims/{name}.j2").is_file()] == []
