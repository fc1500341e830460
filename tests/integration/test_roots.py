"""Named roots: what enters one, what comes out, and what never does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.site import Site
from tests.integration.conftest import CommandLine

PATIENCE = 60
"""Seconds until what was killed must be gone, on a busy machine."""


def test_a_command_in_a_root_runs_on_aarch64(crossbuild: CommandLine, small_root: str) -> None:
    assert crossbuild("root", "run", small_root, "uname", "-m").stdout == "aarch64\n"
    assert small_root in crossbuild("root", "list").stdout


def test_arguments_arrive_byte_for_byte(crossbuild: CommandLine, small_root: str) -> None:
    words = ["a b", "", "*", "$HOME", "--help", "-x", "new\nline", "ü", "'", '"', "--"]
    script = 'for word; do printf "%s\\0" "$word"; done'
    result = crossbuild("root", "run", small_root, "--", "sh", "-c", script, "sh", *words)
    assert result.stdout == "".join(f"{word}\0" for word in words)


def test_standard_streams_pass_through(crossbuild: CommandLine, small_root: str) -> None:
    result = crossbuild("root", "run", small_root, "--", "sh", "-c", "cat; echo bad >&2", stdin="in\nput")
    assert (result.stdout, result.stderr) == ("in\nput", "bad\n")


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_exit_status_passes_through(
    crossbuild: CommandLine, small_root: str, script: str, status: int
) -> None:
    assert crossbuild("root", "run", small_root, "sh", "-c", script, check=False).status == status


def test_a_program_that_does_not_exist_ends_as_a_shell_would(
    crossbuild: CommandLine, small_root: str
) -> None:
    result = crossbuild("root", "run", small_root, "no-such-program", check=False)
    assert result.status == 127
    assert "no-such-program" in result.stderr


def test_a_shell_on_a_terminal_says_aarch64(crossbuild: CommandLine, small_root: str) -> None:
    line = " ".join(crossbuild.argv("root", "shell", small_root))
    typed = "uname -m\ntty\necho $((6*7))\nexit 3\n"
    result = capture(
        ["script", "--quiet", "--return", "--command", line, "/dev/null"], stdin=typed, check=False
    )
    assert result.status == 3
    assert "root@aarch64" in result.stdout
    assert "\naarch64\n" in result.stdout
    assert "42" in result.stdout


def test_nothing_of_the_host_can_be_written(crossbuild: CommandLine, small_root: str) -> None:
    script = """
        echo 1 > /proc/sys/kernel/panic && echo WROTE sysctl
        mount -t tmpfs none /mnt && echo WROTE mount
        mount -o remount,rw /proc/sys && echo WROTE remount
        mknod /root/disk b 254 0 && dd if=/root/disk of=/dev/null count=1 && echo WROTE disk
        rm -f /root/disk
        hostname other && echo WROTE hostname
        echo b > /proc/sysrq-trigger && echo WROTE sysrq
        date --set 2001-01-01 && echo WROTE clock
        ls /proc/1/root/home
        exit 0
    """
    before = (os.uname().nodename, Path("/proc/sys/kernel/panic").read_text())
    result = crossbuild("root", "run", small_root, "sh", "-c", script)
    assert "WROTE" not in result.stdout
    assert (os.uname().nodename, Path("/proc/sys/kernel/panic").read_text()) == before


def test_processes_of_the_host_are_not_seen(crossbuild: CommandLine, small_root: str) -> None:
    seen = crossbuild("root", "run", small_root, "sh", "-c", "ls -d /proc/[0-9]*").stdout.split()
    assert len(seen) <= 4


def test_name_servers_are_lent_for_the_run_only(crossbuild: CommandLine, small_root: str, site: Site) -> None:
    resolver = site.roots / small_root / "etc/resolv.conf"
    before = resolver.read_bytes() if resolver.exists() else None
    seen = crossbuild("root", "run", small_root, "cat", "/etc/resolv.conf").stdout
    assert seen == Path("/etc/resolv.conf").read_text()
    after = resolver.read_bytes() if resolver.exists() else None
    assert after in (before, None)


def test_nothing_stays_mounted_or_running_after_kill_9(
    crossbuild: CommandLine, small_root: str, site: Site
) -> None:
    sleep = f"sleep {1_000_000 + os.getpid()}"  # nobody else's on this host
    argv = crossbuild.argv("root", "run", small_root, "sh", "-c", f"echo ready; exec {sleep}")
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while sleep in capture(["ps", "-eo", "args"]).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert str(site.roots) not in Path("/proc/self/mountinfo").read_text()


def test_sigterm_reaches_the_command(crossbuild: CommandLine, small_root: str) -> None:
    script = "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    argv = crossbuild.argv("root", "run", small_root, "sh", "-c", script)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "got it\n"
    assert process.returncode in {9, 143}


def test_file_capabilities_survive_in_a_root(small_root: str, site: Site) -> None:
    assert "cap_net_raw=ep" in capture(["getcap", str(site.roots / small_root / "usr/bin/ping")]).stdout


def test_an_unknown_root_is_told_with_those_that_exist(crossbuild: CommandLine, small_root: str) -> None:
    result = crossbuild("root", "run", "nonesuch", "true", check=False)
    assert result.status == 2
    assert "no root `nonesuch`" in result.stderr
    assert small_root in result.stderr


def test_a_root_is_not_replaced_without_being_asked(crossbuild: CommandLine, small_root: str) -> None:
    result = crossbuild("root", "create", small_root, check=False)
    assert result.status == 2
    assert "--replace" in result.stderr


def test_a_root_can_be_removed(crossbuild: CommandLine, small_root: str, site: Site) -> None:
    capture(["cp", "--archive", str(site.roots / small_root), str(site.roots / "doomed")])
    crossbuild("root", "remove", "doomed")
    assert not (site.roots / "doomed").exists()
    assert "doomed" not in crossbuild("root", "list").stdout
