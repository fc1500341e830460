"""A user namespace in which binfmt_misc starts empty, so that setup may be tried without touching this host.

Linux 6.7 and later keeps one table of handlers for each user namespace. Ids are mapped to themselves, so that
files keep their owners and another user can be played.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MAP = "0 0 65536"
PATIENCE = 300
"""Seconds after which a script is taken for stuck; a whole build may be in it, on a busy machine."""
CROSSBUILD = [sys.executable, "-m", "crossbuild"]


def run_privately(script: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run *script*, for `sh -e`, as root of a new namespace whose binfmt.d folders are empty."""
    prepared = f"""
read go
mount -t tmpfs tmpfs /etc/binfmt.d
{script}
"""
    return _mapped(["sh", "-euc", prepared], cwd)


def _mapped(argv: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [
        "unshare",
        "--user",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",  # nothing outlives a test that fails
        "--mount-proc",
        *argv,
    ]
    with subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _map_ids(process)
        try:
            stdout, stderr = process.communicate("go\n", timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()  # else leaving the block would wait for ever
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _map_ids(process: subprocess.Popen[str]) -> None:
    """Write the id maps from outside: only so may they hold more than one id."""
    mine = os.readlink("/proc/self/ns/user")  # noqa: PTH115  not a file
    while process.poll() is None and os.readlink(f"/proc/{process.pid}/ns/user") == mine:  # noqa: PTH115
        time.sleep(0.005)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{process.pid}/{name}").write_text(MAP)
