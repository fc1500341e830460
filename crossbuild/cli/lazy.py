"""Groups whose commands are imported one by one, when called, and listed from a table."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import CompletionItem


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A command that is loaded when it is called: *module* holds it under its own name."""

    module: str
    help: str


class LazyGroup(click.Group):
    """A group that lists *entries* without importing them."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **options: Any) -> None:
        """Take what a group takes, and the table of its commands."""
        super().__init__(*args, **options)
        self.entries = entries

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table, which is the order of use."""
        return list(self.entries)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, None where the table does not list it."""
        if (entry := self.entries.get(cmd_name)) is None:
            return None
        command = getattr(importlib.import_module(entry.module), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names from the table, options as every command does."""
        names = [
            CompletionItem(name, help=entry.help)
            for name, entry in self.entries.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
