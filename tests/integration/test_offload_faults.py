"""Builds on hosts that fail in the middle: each is finished, or ends with a clear error and nothing left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossbuild.host.command import capture
from crossbuild.host.processes import start_time
from crossbuild.nodes.store import NodeStore
from tests.integration.node_rig import PATIENCE, Host
from tests.integration.offload_fixtures import hosts, nothing_is_left, server
from tests.integration.offload_rig import (
    GATED,
    Management,
    begins,
    ended,
    events,
    open_gate,
    restart_server,
    running,
    stop_server,
    wait_for,
    worker_of,
)

__all__ = ["hosts", "nothing_is_left", "server"]

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def half_of(phase: str) -> Callable[[dict[str, Any]], bool]:
    """Return what recognises that half of *phase* is done."""
    return lambda event: (
        event.get("event") == "progress" and event["phase"] == phase and 2 * event["done"] > event["total"]
    )


def packed(host: Host, job: str) -> Path:
    """Wait until *job* on *host* is over, and return its archive."""
    folder = host.space / "crossbuild-jobs" / job
    deadline = time.monotonic() + PATIENCE
    while not (folder / "result.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return folder / "changes.tar"


def flip_a_byte(file: Path) -> None:
    """Damage *file* as a bad disk does."""
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        (byte,) = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte ^ 1]))


def test_a_slow_link_that_is_cut_while_the_root_comes_home_carries_it_once(server: Management) -> None:
    host = server.hosts[0]
    # Nothing of the root is here yet, as in the first build of a kind.
    shutil.rmtree(server.site.cache / "returned", ignore_errors=True)
    host.slow("80mbit")
    try:
        with server.building(server.spec("slow"), "--on", host.name) as process:
            wait_for(process, begins("return"))
            before = host.received()
            size = wait_for(process, half_of("return"))[-1]["total"]
            host.cut()
            try:
                wait_for(process, lambda event: "trying again" in event.get("message", ""))
            finally:
                host.mend()
            wait_for(process, begins("verification"))
            assert host.received() - before < 1.25 * size
            assert ended(process)["event"] == "build-finished"
    finally:
        host.hasten()


def test_a_connection_that_ends_is_made_anew_and_nothing_is_told_twice(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("ended", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        worker = worker_of(host, job)
        restart_server(host)
        assert start_time(worker) is not None
        open_gate(host, job)
        said = [event for event in events(process) if event.get("phase") == "configuration"]
    assert [event["event"] for event in said if event["event"] != "log"] == ["phase-finished"]


def test_a_killed_client_is_followed_by_another_one(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("killed", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        process.kill()
    found = next(one for one in server.jobs() if one["id"] == job)
    assert (found["condition"], found["venue"]) == ("detached", host.name)
    open_gate(host, job)
    server.crossbuild("job", "attach", job)
    server.crossbuild("artifacts", "verify", str(server.folder / "out/killed"))
    assert server.condition(job) == "done"


def test_a_node_that_was_asked_for_and_is_restarted_fails_the_build(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("asked", command=GATED), "--on", host.name) as process:
        running(process, server)
        host.stop()
        host.start()
        error = ended(process)["error"]
    assert error["exit_code"] == 4
    assert "without a word" in error["brief"]
    assert not (server.folder / "out/asked").exists()


def test_another_node_finishes_what_one_that_damages_roots_began(server: Management) -> None:
    spec = server.spec("moved", command=GATED)
    with server.building(spec, "--on", "nodes") as process:
        job = running(process, server)
        first = next(host for host in server.hosts if (host.space / f"crossbuild-jobs/{job}").is_dir())
        second = next(host for host in server.hosts if host is not first)
        # So that it does not fetch what is not damaged yet.
        process.send_signal(signal.SIGSTOP)
        open_gate(first, job)
        flip_a_byte(packed(first, job))
        process.send_signal(signal.SIGCONT)
        heard = wait_for(process, begins("configuration"))
        assert any("as it was packed. Another node is looked for" in e.get("message", "") for e in heard)
        assert not (server.folder / "out/moved").exists()
        open_gate(second, job)
        assert ended(process)["event"] == "build-finished"
    record = json.loads((server.folder / "out/moved/image.json").read_text())
    assert record["build"]["venue"] == second.name


def test_a_node_that_stays_away_is_given_up_and_its_job_is_not(server: Management) -> None:
    host = server.hosts[0]
    hasty = server.with_settings("hasty", "offload: {patience: 2}\n")
    with hasty.building(server.spec("away", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        stop_server(host)
        error = ended(process)["error"]
    host.start()
    assert error["exit_code"] == 4
    assert f"crossbuild job attach {job}" in error["resolution"]
    assert server.condition(job) == "detached"
    assert "cannot be reached" in server.failing()[host.name]
    server.crossbuild("job", "cancel", job)


def test_a_host_key_that_changes_in_the_middle_ends_the_build_until_it_is_accepted(
    server: Management,
) -> None:
    host = server.hosts[0]
    with server.building(server.spec("changed", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        stop_server(host)
        host.change_host_key()
        host.start()
        error = ended(process)["error"]
    assert error["exit_code"] == 4
    assert "another host key" in error["brief"]
    refused = server.crossbuild("job", "attach", job, check=False)
    assert (refused.status, "another host key" in refused.stderr) == (4, True)
    NodeStore(server.site.state).update(
        host.name, lambda node: replace(node, host_keys=host.node().host_keys)
    )
    open_gate(host, job)
    server.crossbuild("job", "attach", job)
    server.crossbuild("artifacts", "verify", str(server.folder / "out/changed"))


def test_a_host_of_another_architecture_is_found_out(server: Management) -> None:
    host = server.hosts[0]
    places = ("--on", host.name, "--output", str(server.folder / "out"))
    host.restart(machine="i686")
    try:
        failed = server.crossbuild("build", str(server.spec("foreign")), *places, check=False)
    finally:
        host.restart(machine=os.uname().machine)
    assert failed.status == 3
    assert "The node is i686, and the image is for x86_64" in failed.stderr
    assert not (server.folder / "out/foreign").exists()


@pytest.mark.parametrize(
    ("size", "trees", "command"),
    [
        pytest.param("40m", False, "true", id="while it is handed over"),
        pytest.param("700m", True, "head -c 1G /dev/zero >/fill", id="in the middle"),
    ],
)
def test_a_disk_that_gets_full_is_named(server: Management, size: str, trees: bool, command: str) -> None:
    host = server.hosts[0]
    jobs = host.space / "crossbuild-jobs"
    output = str(server.folder / "out")
    assert host.process
    # Where its sshd sees it, and nobody else.
    there = ["nsenter", f"--target={host.process.pid}", "--mount"]
    capture([*there, "mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(jobs)])
    try:
        if trees:
            capture([*there, "mkdir", str(jobs / ".cache")])
            capture([*there, "cp", "-r", str(server.trees), str(jobs / ".cache/layers")])
        spec = str(server.spec("full", command=command))
        failed = server.crossbuild("build", spec, "--on", host.name, "--output", output, check=False)
        assert capture([*there, "ls", str(jobs)]).stdout == ""
    finally:
        capture([*there, "umount", str(jobs)])
    assert failed.status == 1, failed.stderr
    assert "disk is full" in failed.stderr
    assert host.name in failed.stderr


def test_a_clock_that_is_behind_is_refused(server: Management) -> None:
    future = "4102444800"
    spec = server.spec("late")
    places = ("--on", "host0", "--output", str(server.folder / "out"))
    failed = server.crossbuild("build", str(spec), *places, check=False, SOURCE_DATE_EPOCH=future)
    assert failed.status == 3
    assert "clock is wrong" in failed.stderr
