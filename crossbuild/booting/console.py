"""The console of a machine: kept in a file, cut into lines, and on request shown while it is written."""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

BLOCK = 65536
LONGEST = 4096
"""Bytes of a line, after which it is cut: what writes no end of line must not fill the memory."""
_CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78c]|[\x00-\x08\x0b-\x1f\x7f]")
"""What steers a terminal (ECMA-48), and whatever else is no text."""

Mirror = Callable[[bytes], None]


def plain(line: bytes) -> str:
    """Return *line* as text without anything that steers a terminal."""
    return _CONTROL.sub("", line.decode("utf-8", "replace")).rstrip()


class Console:
    """Reads what a machine writes, so that it never has to wait for a reader."""

    def __init__(self, stream: IO[bytes], log: Path, mirror: Mirror | None = None) -> None:
        """Begin to read *stream* to its end, and write all of it to *log*. Now is when power came on."""
        self._stream, self._log, self._mirror = stream, log, mirror
        self._lines: queue.SimpleQueue[tuple[float, str] | None] = queue.SimpleQueue()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="console", daemon=True)
        self._thread.start()

    def seconds(self) -> float:
        """Return how long the machine has had power."""
        return time.monotonic() - self._began

    def line(self, timeout: float) -> tuple[float, str] | None:
        """Return the next line and when it came, None after the last one; raise TimeoutError.

        With no time left it is raised in any case: a machine may well write for ever.
        """
        if timeout <= 0:
            raise TimeoutError
        try:
            return self._lines.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error

    def join(self) -> None:
        """Wait until all is in the log: the machine must have ended."""
        self._thread.join()

    def _read(self) -> None:
        pending = b""
        with self._log.open("wb") as log:
            while block := os.read(self._stream.fileno(), BLOCK):
                log.write(block)
                log.flush()
                if self._mirror:
                    self._mirror(block)
                *whole, pending = (pending + block).split(b"\n")
                for line in whole:
                    self._lines.put((self.seconds(), plain(line)))
                if len(pending) > LONGEST:
                    self._lines.put((self.seconds(), plain(pending)))
                    pending = b""
        if pending:
            self._lines.put((self.seconds(), plain(pending)))
        self._stream.close()
        self._lines.put(None)
