"""The terminal of a sandbox: a pseudo terminal of its own, joined to the one that crossbuild runs on.

Lending the user's terminal itself would let a program in the sandbox type into the user's shell (TIOCSTI,
ioctl_tty(2)), and `tty` would find no name for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import termios
import tty
from collections.abc import Iterator

BLOCK = 65536
STREAMS = (0, 1, 2)
JOB_CONTROL = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def connection() -> tuple[socket.socket, socket.socket]:
    """Return both ends of what the terminal is handed over by."""
    return socket.socketpair()


def offer(end: socket.socket) -> int:
    """Make a terminal below this process's /dev, hand its outer side over, and return its inner side."""
    outer, inner = os.openpty()
    socket.send_fds(end, [b"t"], [outer])
    os.close(outer)
    end.close()
    return inner


def accept(end: socket.socket) -> int | None:
    """Return the outer side of the terminal, None where the sandbox ended before it had one."""
    _, descriptors, _, _ = socket.recv_fds(end, 1, 1)
    end.close()
    return descriptors[0] if descriptors else None


def adopt(inner: int) -> None:
    """Make the terminal this process's own: of a new session, and for each stream that was one before."""
    for number in JOB_CONTROL:
        # Whoever called may ignore them; the new session has job control of its own.
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
    for stream in STREAMS:
        if os.isatty(stream):
            os.dup2(inner, stream)
    os.close(inner)


def serve(outer: int) -> None:
    """Carry what is typed in and what is written out until nobody has the inner side any more.

    Where the terminal that crossbuild runs on is lost, the inner side hangs up as well.
    """
    with _raw(0), _same_size(outer):
        os.set_blocking(outer, False)
        typed = b""
        while True:
            waiting = [outer] if typed else []
            ready, writable, _ = select.select([0, outer] if not typed else [outer], waiting, [])
            if outer in ready and not _show(outer):
                break
            if 0 in ready and not (typed := _read(0)):
                break
            if writable:
                typed = typed[_write(outer, typed) :]
    os.close(outer)


def _show(outer: int) -> bool:
    """Write out what there is; say whether more may come."""
    try:
        block = os.read(outer, BLOCK)
    except BlockingIOError:
        # The kernel may say too early that there is something.
        return True
    except OSError:
        # Linux says EIO where the other side is gone.
        return False
    while block:
        select.select([], [1], [])
        if not (written := _write(1, block)):
            return False
        block = block[written:]
    return True


def _read(stream: int) -> bytes:
    """Return what was typed; nothing where the terminal is gone."""
    try:
        return os.read(stream, BLOCK)
    except OSError:
        return b""


def _write(stream: int, block: bytes) -> int:
    """Write what *stream* takes now, which may be nothing; return how much that was."""
    try:
        return os.write(stream, block)
    except OSError:
        return 0


@contextlib.contextmanager
def _raw(stream: int) -> Iterator[None]:
    """Pass every key on as it is, Ctrl-C too: the inner terminal gives them their meaning."""
    before = termios.tcgetattr(stream)
    # What was typed before counts, too.
    tty.setraw(stream, termios.TCSADRAIN)
    try:
        yield
    finally:
        # A terminal that is gone needs no settings.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(stream, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _same_size(outer: int) -> Iterator[None]:
    """Keep the inner terminal as large as the user's window."""

    def follow(*_: object) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(outer, termios.TIOCSWINSZ, size)

    before = signal.signal(signal.SIGWINCH, follow)
    follow()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
