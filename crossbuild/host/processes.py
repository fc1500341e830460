"""Processes of this host, told apart also where the kernel gives a number again."""

from __future__ import annotations

import os
from pathlib import Path

_STATE, _START = 0, 19
"""Fields 3 and 22 of /proc/PID/stat (proc(5)), counted behind the name, which may hold anything."""


def start_time(pid: int | None = None) -> int | None:
    """Return when *pid*, by default this process, started, in ticks since boot; None if it has ended."""
    status = Path(f"/proc/{os.getpid() if pid is None else pid}/stat")
    try:
        text = status.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    # A zombie does nothing any more; it only waits for its parent.
    return None if fields[_STATE] in {"Z", "X", "x"} else int(fields[_START])
