"""Ends a command in a container when the process that runs it is killed.

A container engine lets a command go on when its client is gone, and a builder's lock would be free while
packages are still being installed. A child of this process waits for its end, holding its locks (flock(2))
with it, and ends the command first.
"""

from __future__ import annotations

import os

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
_DONE = b"+"


class Guard:
    """Ends *command* if this process dies inside the block, or leaves it by an exception."""

    def __init__(self, command: Guarded) -> None:
        self._command = command

    def __enter__(self) -> None:
        reader, self._writer = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._writer)
            _watch(self._command, reader)
        os.close(reader)

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if error is None:
            os.write(self._writer, _DONE)
        os.close(self._writer)
        os.waitpid(self._child, 0)


def _watch(command: Guarded, reader: int) -> None:
    """Wait for word from the parent, end *command* if none comes, and do not return."""
    try:
        _ignore_signals()
        _let_go_of_streams()
        if not os.read(reader, 1):
            end(command)
    finally:
        os._exit(0)


def _ignore_signals() -> None:
    import signal

    for number in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGPIPE", "SIGWINCH"):
        signal.signal(getattr(signal, number), signal.SIG_IGN)


def _let_go_of_streams() -> None:
    """Close the standard streams: whoever reads from this command line must see its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def end(command: Guarded, patience: float = PATIENCE) -> None:
    """Ask *command* to end, and kill it after *patience* seconds."""
    import contextlib
    import signal

    with contextlib.suppress(CrossbuildError):
        command.kill(signal.SIGTERM)
        _alarm(patience)
        with contextlib.suppress(TimeoutError):
            command.status()
            return
        command.kill(signal.SIGKILL)


def _alarm(seconds: float) -> None:
    import signal

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
