"""A machine's console on the terminal of whoever asked for it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator

from crossbuild.host.command import Companion

LEAVE = b"\x1d"
"""Ctrl-]: with it telnet(1) and virsh(1) let go of a console, too."""
BLOCK = 4096
PATIENCE = 0.2
"""Seconds between two looks whether the machine still runs."""
LINGER = 60.0
"""Seconds that it may still run after the last that was typed."""


def show(block: bytes) -> None:
    """Write *block* to standard output as it is: what the machine says is for the terminal."""
    with contextlib.suppress(OSError):
        os.write(1, block)


def attach(machine: Companion) -> None:
    """Type into the console of *machine* what is typed here until that ends, or until LEAVE comes.

    After the end of a file or pipe that was typed, the machine gets some time to do what it was told.
    """
    sys.stderr.write("\r\nThe console is yours now. Ctrl-] ends the machine.\r\n")
    sys.stderr.flush()
    with _raw(0):
        while machine.ended() is None:
            if not select.select([0], [], [], PATIENCE)[0]:
                continue
            typed = os.read(0, BLOCK)
            text, leave, _ = typed.partition(LEAVE)
            with contextlib.suppress(BrokenPipeError):
                machine.input.write(text)
            if leave:
                return
            if not typed:
                _wait_for(machine)
                return


def _wait_for(machine: Companion) -> None:
    deadline = time.monotonic() + LINGER
    while machine.ended() is None and time.monotonic() < deadline:
        time.sleep(PATIENCE)


@contextlib.contextmanager
def _raw(stream: int) -> Iterator[None]:
    if not os.isatty(stream):
        yield
        return
    before = termios.tcgetattr(stream)
    tty.setraw(stream, termios.TCSADRAIN)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(stream, termios.TCSADRAIN, before)
