"""Actions on this host: commands whose words count and whose exit status does not, and files."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ProvisionerError
from crossbuild.host.command import CommandResult, capture, find


@dataclass(frozen=True, kw_only=True)
class Command:
    """A program is run; whether that did anything is read back, for its exit status may say anything."""

    argv: tuple[str, ...]
    reason: str

    @property
    def text(self) -> str:
        """The command line."""
        return shlex.join(self.argv)


@dataclass(frozen=True, kw_only=True)
class Remove:
    """A file, or a folder with all that is in it, is removed; it may be gone already."""

    path: Path
    reason: str

    @property
    def text(self) -> str:
        """The same for a shell."""
        return f"rm --recursive --force {shlex.quote(str(self.path))}"


class Transcript:
    """Runs programs of one provisioner and remembers what they complained about."""

    def __init__(self, provisioner: str) -> None:
        """*provisioner* is named in errors."""
        self._provisioner = provisioner
        self._said: list[str] = []

    def run(self, argv: Sequence[str]) -> CommandResult:
        """Let *argv* do something, whatever its status, and remember what it complains about."""
        result = self.ask(argv)
        complaints = [line for line in result.stderr.splitlines() if line.strip()]
        if complaints:
            self._said += [f"$ {shlex.join(argv)}", *complaints]
        return result

    def ask(self, argv: Sequence[str]) -> CommandResult:
        """Run *argv*, which changes nothing; raise ProvisionerError if there is no such program."""
        executable = find(argv[0])
        if executable is None:
            raise ProvisionerError(
                f"`{argv[0]}` is not on this host.",
                details=f"It belongs to {self._provisioner}; it is neither on PATH nor in the sbin folders.",
                resolution=f"Run this on the host where {self._provisioner} is installed.",
            )
        return capture(argv, executable=executable, check=False)

    def details(self, *problems: str) -> str:
        """Return *problems* and behind them what the programs said, for an error."""
        said = ["What its programs said:", *self._said[-20:]] if self._said else []
        return "\n".join([*problems, *said])


def remove(action: Remove) -> None:
    """Carry out *action*; raise ProvisionerError."""
    try:
        if action.path.is_dir() and not action.path.is_symlink():
            shutil.rmtree(action.path)
        else:
            action.path.unlink(missing_ok=True)
    except OSError as error:
        raise ProvisionerError(f"{action.path} cannot be removed.", details=str(error)) from error


def require_word(text: str, allowed: str, what: str) -> str:
    """Return *text*, a *what*, if it is one or more of the characters *allowed* and no option."""
    if not re.fullmatch(f"[{allowed}]+", text) or text.startswith("-"):
        raise ProvisionerError(
            f"The provisioner does not accept `{text}` as {what}.",
            details=f"It takes characters of [{allowed}] only, and no `-` at the beginning.",
            resolution=f"Choose another {what}.",
        )
    return text
