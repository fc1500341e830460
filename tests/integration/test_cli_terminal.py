"""The command line on real streams: a pseudo-terminal that is resized and interrupted, and pipes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.terminal_rig import Terminal, on_terminal

SCRIPT = Path(__file__).with_name("scripted_build.py")

pytestmark = pytest.mark.real


@contextmanager
def playing(*options: str, **environment: str) -> Iterator[Terminal]:
    """Play a scripted build on a terminal."""
    ours = {"TERM": "xterm", "PYTHONUTF8": "1", **environment}
    with on_terminal([sys.executable, str(SCRIPT), *options], ours) as terminal:
        yield terminal


def cursor_is_shown(text: str) -> bool:
    return text.rfind("\x1b[?25h") >= text.rfind("\x1b[?25l")


def test_build_is_shown_to_its_end() -> None:
    with playing("20") as session:
        assert session.status() == 0
        last = session.text[session.text.rindex("\x1b[?25l") :]
        for title in ("Choose packages", "Install packages", "Pack for IMS"):
            assert title in last
        assert cursor_is_shown(session.text)


def test_pictures_follow_the_size_of_the_window() -> None:
    with playing("5") as session:
        session.read_until("━")
        session.resize(24, 40)
        session.read_until("\x1b[?25h")
        session.read_until("\x1b[?25h")
        narrow = session.read_until("\x1b[J")
        assert "━" not in narrow
        session.resize(24, 120)
        session.read_until("━")


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "Interrupted."), (signal.SIGTERM, 143, "Ended by SIGTERM.")],
)
def test_interrupted_build_leaves_the_terminal_as_it_was(number: int, status: int, said: str) -> None:
    with playing("5") as session:
        session.read_until("Install packages")
        session.process.send_signal(number)
        assert session.status() == status
        assert said in session.text
        assert "stopped after" in session.text
        assert cursor_is_shown(session.text)


def test_failed_build_shows_the_phase_and_the_error() -> None:
    with playing("20", "--fail") as session:
        assert session.status() == 1
        end = session.text[session.text.rindex("stopped after") :]
        assert "`dracut` exited with status 1." in end
        assert "What to do:" in end


def test_no_color_leaves_the_picture_without_colours() -> None:
    with playing("20", NO_COLOR="1") as session:
        assert session.status() == 0
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
