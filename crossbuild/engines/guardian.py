"""Ends a command in a container when the process that runs it is killed.

A container engine lets a command go on when its client is gone, and a builder's lock would be free while
packages are still being installed. A child of this process waits for its end, holding its locks (flock(2))
with it, and ends the command first.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from crossbuild.errors import CrossbuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Guarded(Protocol):
        """A command that can be ended."""

        def kill(self, number: int) -> None:
            """Send a signal to it and its process group."""

        def status(self) -> int:
            """Wait for its end."""


PATIENCE = 10
"""Seconds between the request to end and the order, as `docker stop` has them."""
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGWINCH)
_DONE = b"+"


@contextlib.contextmanager
def guarded(command: Guarded) -> Iterator[None]:
    """End *command* if this process dies inside the block, or leaves it by an exception."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        _watch(command, reader)
    os.close(reader)
    try:
        yield
        os.write(writer, _DONE)
    finally:
        os.close(writer)
        os.waitpid(child, 0)


def _watch(command: Guarded, reader: int) -> None:
    """Wait for word from the parent, end *command* if none comes, and do not return."""
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        _let_go_of_streams()
        if not os.read(reader, 1):
            end(command)
    finally:
        os._exit(0)


def _let_go_of_streams() -> None:
    """Close the standard streams: whoever reads from this command line must see its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def end(command: Guarded, patience: float = PATIENCE) -> None:
    """Ask *command* to end, and kill it after *patience* seconds."""
    with contextlib.suppress(CrossbuildError):
        command.kill(signal.SIGTERM)
        _alarm(patience)
        with contextlib.suppress(TimeoutError):
            command.status()
            return
        command.kill(signal.SIGKILL)


def _alarm(seconds: float) -> None:
    def late(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
