"""The command line on real streams: a pseudo-terminal that is resized and interrupted, and pipes."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("scripted_build.py")
PATIENCE = 60
"""Seconds after which a program that says nothing is taken for stuck."""

pytestmark = pytest.mark.real


class Session:
    """A scripted build whose terminal this is."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.text = ""

    def resize(self, columns: int) -> None:
        """Change the size, which sends SIGWINCH, as terminal emulators do."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, wanted: str) -> str:
        """Return what is written up to and with *wanted*, which must come."""
        start = len(self.text)
        while wanted not in self.text[start:]:
            assert self._read(), f"{wanted!r} did not come after {self.text[start:]!r}"
        return self.text[start:]

    def read_to_end(self) -> int:
        """Read all that comes and return the exit status."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], PATIENCE)
        assert ready, f"nothing came after {self.text[-500:]!r}"
        try:
            block = os.read(self._terminal, 65536)
        except OSError:  # Linux says EIO once nobody has the other side open
            return False
        self.text += block.decode(errors="replace")
        return bool(block)


@contextmanager
def playing(*options: str, **environment: str) -> Iterator[Session]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # Who runs tests in the background ignores interrupts, and children inherit that.
        ["env", "--default-signal=INT", sys.executable, SCRIPT, *options],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1", **environment},
        start_new_session=True,
    )
    os.close(theirs)
    session = Session(process, ours)
    session.resize(80)
    try:
        yield session
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def cursor_is_shown(text: str) -> bool:
    return text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l")


def test_build_is_shown_to_its_end() -> None:
    with playing("20") as session:
        assert session.read_to_end() == 0
        last = session.text[session.text.rindex("\x1b[?25l") :]
        for title in ("Choose packages", "Install packages", "Pack for IMS"):
            assert title in last
        assert cursor_is_shown(session.text)


def test_pictures_follow_the_size_of_the_window() -> None:
    with playing("5") as session:
        session.read_until("━")
        session.resize(40)
        session.read_until("\x1b[?25h")
        session.read_until("\x1b[?25h")
        narrow = session.read_until("\x1b[J")
        assert "━" not in narrow
        session.resize(120)
        session.read_until("━")


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Ended by SIGTERM.")],
)
def test_interrupted_build_leaves_the_terminal_as_it_was(number: int, status: int, said: str) -> None:
    with playing("5") as session:
        session.read_until("Install packages")
        session.process.send_signal(number)
        assert session.read_to_end() == status
        assert said in session.text
        assert "stopped after" in session.text
        assert cursor_is_shown(session.text)


def test_failed_build_shows_the_phase_and_the_error() -> None:
    with playing("20", "--fail") as session:
        assert session.read_to_end() == 1
        end = session.text[session.text.rindex("stopped after") :]
        assert "`dracut` exited with status 1." in end
        assert "What to do:" in end


def test_no_color_leaves_the_picture_without_colours() -> None:
    with playing("20", NO_COLOR="1") as session:
        assert session.read_to_end() == 0
        assert "\x1b[32m" not in session.text
        assert "Install packages" in session.text


def test_pipe_gets_lines_without_control_sequences() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "50"], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "Install packages: done in" in done.stderr
    assert "\x1b" not in done.stderr


def test_program_gets_json_also_when_it_fails() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "50", "--json", "--fail"], capture_output=True, text=True, check=False
    )
    *events, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == last["error"]["exit_code"] == 1
    assert all("event" in event for event in events)
