"""Terminals of the tests: programs run on them as a terminal emulator would run them."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

PATIENCE = 60
"""Seconds after which a program that says nothing is taken for stuck."""


class Terminal:
    """A program whose terminal this is."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process, self._descriptor, self.text = process, descriptor, ""

    def type(self, text: str) -> None:
        """Send keys; those with a meaning, such as `\\x03`, have it."""
        os.write(self._descriptor, text.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Change the size; the kernel tells whoever is in the foreground (SIGWINCH)."""
        termios.tcsetwinsize(self._descriptor, (rows, columns))

    def hang_up(self) -> None:
        """Go away."""
        os.close(self._descriptor)
        self._descriptor = -1

    def read_until(self, wanted: str) -> str:
        """Return what is written from now on up to and with *wanted*, which must come."""
        start = len(self.text)
        while wanted not in self.text[start:]:
            assert self._read(), f"{wanted!r} did not come after {self.text[start:]!r}"
        return self.text[start:]

    def status(self) -> int:
        """Read all that comes and return the exit status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End what still runs."""
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
def on_terminal(
    argv: Sequence[str | bytes], environment: Mapping[str, str], size: tuple[int, int] = (24, 80)
) -> Iterator[Terminal]:
    """Run *argv* in a session that owns the terminal, of *size* in rows and columns, for the block."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, size)
    process = subprocess.Popen(
        # Who runs tests in the background ignores interrupts, and children inherit that.
        ["setsid", "--ctty", "env", "--default-signal=INT", *argv],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment},
    )
    os.close(theirs)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        terminal.close()
