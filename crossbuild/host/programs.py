"""Where the native half of an installation finds its programs: on this host, or in a root of tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from crossbuild.host import command


class Programs(Protocol):
    """Native programs, and how to start one."""

    @property
    def root(self) -> Path:
        """Where their files lie."""

    @property
    def reason(self) -> str:
        """Why these, for a plan; empty for this host's own."""

    def has(self, program: str) -> bool:
        """Say whether *program* is among them."""

    def argv(self, words: Sequence[str]) -> list[str]:
        """Return the command line that runs *words* with them, on this host's files and network."""


class HostPrograms:
    """Those of this host."""

    root = Path("/")
    reason = ""

    def has(self, program: str) -> bool:
        """Say whether *program* is installed."""
        return command.find(program) is not None

    def argv(self, words: Sequence[str]) -> list[str]:
        """Return *words* themselves."""
        return list(words)
