"""Joins this process with a command that a container engine has started, until the command ends."""

from __future__ import annotations

import contextlib

from crossbuild.engines.streams import STDERR, Output, Pump, raw_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from crossbuild.engines.execution import Execution

CANNOT_START, NOT_FOUND = 126, 127
"""What a shell returns for such commands (POSIX, 2.8.2, "Exit Status for Commands")."""
_REFUSED = (b"OCI runtime exec failed: ", b"Error: runc: ", b"Error: crun: ")
"""How Docker and Podman begin what they write, in the command's name, when they cannot start it."""
_ABSENT = (b"not found", b"no such file")


def attach(connection: _socket.socket, execution: Execution) -> int:
    """Carry streams and signals until *execution* ends; return its status, 128 and more after a signal."""
    with raw_terminal() if execution.terminal else contextlib.nullcontext():
        if execution.terminal:
            execution.resize()
        verdict = Verdict(Output(execution))
        Pump(connection, execution, terminal=execution.terminal).run(verdict)
        return verdict.settle(execution.status())


class Verdict:
    """Tells what a command writes from what the engine writes when it cannot start it."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._held: tuple[int, bytes] | None = None
        self._started = False

    def __call__(self, stream: int, data: bytes) -> None:
        """Take what was written; the first piece waits for the end if it reads as the engine's."""
        if not self._started and data.startswith(_REFUSED):
            self._held = stream, data
        else:
            self._output(stream, data)
        self._started = True

    def settle(self, status: int) -> int:
        """Write what was held, and return *status* or what a shell would have returned."""
        if self._held is None:
            return status
        stream, data = self._held
        if status not in {CANNOT_START, NOT_FOUND}:
            self._output(stream, data)
            return status
        self._output(STDERR, data.rstrip() + b"\n")
        return NOT_FOUND if any(words in data.lower() for words in _ABSENT) else CANNOT_START
