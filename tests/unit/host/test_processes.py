"""A process is known by when it started."""

from __future__ import annotations

import os
import subprocess

from crossbuild.host.processes import start_time


def test_a_process_that_ended_has_no_start() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        begun = start_time(process.pid)
        assert begun is not None
        assert begun >= (start_time(os.getpid()) or 0)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert start_time(process.pid) is None, "a zombie"
    assert start_time(process.pid) is None


def test_this_process_is_meant_where_none_is_named() -> None:
    assert start_time() == start_time(os.getpid())
