"""This process's standard streams and signals, joined with those of a command in a container.

Importing costs as much as the engine does here: `typing` and `dataclasses` take 20 ms, so they stay out.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import termios
import tty
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Protocol

    class Far(Protocol):
        """The command at the other end."""

        def kill(self, number: int) -> None:
            """Send a signal to it and to its process group."""

        def resize(self) -> None:
            """Tell it the size of this process's terminal."""


BLOCK = 1 << 16
STDIN, STDOUT, STDERR = 0, 1, 2
FRAME = 8
FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)


class Frames:
    """Takes apart what a command without a terminal writes: a header of 8 bytes goes before each piece.

    The first byte is the stream's number, the last four are the length (Docker Engine API, "Attach to a
    container", "Stream format").
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._stream, self._left = STDOUT, 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (stream, content) of what *data* completes; a long piece comes in parts."""
        self._buffer += data
        while self._buffer:
            if not self._left:
                if len(self._buffer) < FRAME:
                    return
                self._stream = self._buffer[0]
                self._left = int.from_bytes(self._buffer[4:FRAME])
                self._buffer = self._buffer[FRAME:]
                continue
            part, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            self._left -= len(part)
            yield self._stream, part


Sink = Callable[[int, bytes], None]
"""Takes what the command wrote: the stream's number and the bytes."""


class Pump:
    """Carries bytes and signals until the command's end of the connection is closed."""

    def __init__(self, connection: _socket.socket, far: Far, *, terminal: bool) -> None:
        self._connection, self._far, self._terminal = connection, far, terminal
        self._frames = Frames()
        self._outgoing = b""
        """Read from standard input, not yet taken by the engine."""
        self._input_open = True

    def run(self, sink: Sink) -> None:
        """Pump to the end; raises OSError where the engine goes away."""
        self._connection.settimeout(0)
        with _signals() as wakeup:
            while self._step(wakeup, sink):
                pass

    def _step(self, wakeup: int, sink: Sink) -> bool:
        """Wait for something to do and do it; say whether there may be more."""
        ready = self._wait(wakeup)
        if wakeup in ready:
            self._pass_on(os.read(wakeup, BLOCK))
        if STDIN in ready:
            self._read_input()
        events = ready.get(self._connection.fileno(), 0)
        if events & select.POLLOUT:
            self._send()
        return not events & ~select.POLLOUT or self._receive(sink)

    def _wait(self, wakeup: int) -> dict[int, int]:
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        poll.register(self._connection, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        if self._input_open and not self._outgoing:
            poll.register(STDIN, select.POLLIN)
        return dict(poll.poll())

    def _pass_on(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGWINCH:
                self._far.resize()
            else:
                self._far.kill(number)

    def _read_input(self) -> None:
        try:
            self._outgoing = os.read(STDIN, BLOCK)
        except OSError:  # EIO: the terminal is gone
            self._outgoing = b""
        if not self._outgoing:
            self._input_open = False
            self._end_input()

    def _end_input(self) -> None:
        if self._terminal:
            # As the kernel does to those on a terminal that hangs up.
            self._far.kill(signal.SIGHUP)
        else:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)

    def _send(self) -> None:
        try:
            sent = self._connection.send(self._outgoing)
        except BlockingIOError:
            return
        except BrokenPipeError:
            # The command has closed its input or has ended; what it wrote may still be on its way.
            self._outgoing, self._input_open = b"", False
            return
        self._outgoing = self._outgoing[sent:]

    def _receive(self, sink: Sink) -> bool:
        try:
            data = self._connection.recv(BLOCK)
        except BlockingIOError:
            return True
        pieces = ((STDOUT, data),) if self._terminal else self._frames.feed(data)
        for stream, piece in pieces:
            sink(stream, piece)
        return bool(data)


class Output:
    """Writes what a command wrote to this process's streams, byte for byte.

    Where nobody reads a stream any more, the command learns it as from a pipe: by SIGPIPE.
    """

    def __init__(self, far: Far) -> None:
        self._far = far
        self._deaf: set[int] = set()

    def __call__(self, stream: int, data: bytes) -> None:
        """Write all of *data*."""
        while data and stream not in self._deaf:
            try:
                data = data[os.write(stream, data) :]
            except BlockingIOError:
                _wait_until_writable(stream)
            except OSError:
                self._deaf.add(stream)
                self._far.kill(signal.SIGPIPE)


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    """Hand every key to the command while the block runs, and give the terminal back as it was."""
    before = termios.tcgetattr(STDIN)
    tty.setraw(STDIN)
    try:
        yield
    finally:
        # A terminal that is gone cannot be put right.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(STDIN, termios.TCSADRAIN, before)


def _wait_until_writable(stream: int) -> None:
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    poll.poll()


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """Yield a descriptor from which the numbers of signals can be read, one byte each."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, _noted) for number in FORWARDED}
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the number is in the pipe already."""
