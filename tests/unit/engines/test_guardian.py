from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from crossbuild.engines.guardian import Guard, end


class Sleeper:
    """A process group that can be ended."""

    def __init__(self, script: str) -> None:
        self._process = subprocess.Popen(
            ["sh", "-c", f"{script} echo ready; sleep 4220"], stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.output = self._process.stdout

    def kill(self, number: int) -> None:
        os.killpg(self._process.pid, number)

    def status(self) -> int:
        return self._process.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill(signal.SIGKILL)
        self._process.wait()
        self.output.close()

    def ended(self) -> bool:
        """Wait for all of it to let go of its output, which is its end."""
        return self.output.read() == b""


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    process = Sleeper("")
    yield process
    process.close()


def test_a_command_is_ended_when_its_caller_is_killed(sleeper: Sleeper) -> None:
    caller = os.fork()
    if caller == 0:
        with Guard(sleeper):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(caller, 0)
    assert sleeper.ended()


def test_a_command_is_ended_when_its_caller_fails(sleeper: Sleeper) -> None:
    with pytest.raises(RuntimeError), Guard(sleeper):
        raise RuntimeError
    assert sleeper.ended()


def test_a_command_is_left_alone_otherwise(sleeper: Sleeper) -> None:
    with Guard(sleeper):
        pass
    assert sleeper._process.poll() is None


def test_a_command_that_will_not_end_is_killed() -> None:
    process = Sleeper("trap '' TERM;")
    end(process, patience=0.1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert process.status() == -signal.SIGKILL
    process.close()
