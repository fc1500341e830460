"""Builders of the tests, and terminals on which programs run in them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from crossbuild.host.command import capture
from tests.integration.conftest import CommandLine

PATIENCE = 30
"""Seconds after which a program that says nothing is taken for stuck."""


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


class Terminal:
    """A program whose terminal this is."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process, self._descriptor, self.text = process, descriptor, ""

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def wait_for(self, wanted: str) -> None:
        start = len(self.text)
        while wanted not in self.text[start:]:
            assert self._read(), f"{wanted!r} did not come after {self.text[start:]!r}"

    def status(self) -> int:
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
        assert ready, f"nothing came after {self.text[-500:]!r}"
        try:
            block = os.read(self._descriptor, 65536)
        except OSError:  # Linux says EIO once nobody has the other side open
            return False
        self.text += block.decode(errors="replace")
        return bool(block)


@contextmanager
def on_terminal(argv: list[str]) -> Iterator[Terminal]:
    """Run *argv* as a terminal emulator would: in a session that owns the terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # Who runs tests in the background ignores interrupts, and children inherit that. A terminal that
        # can do nothing gets nothing but text.
        ["setsid", "--ctty", "env", "--default-signal=INT", "TERM=dumb", *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        terminal.close()
