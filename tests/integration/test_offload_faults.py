"""Builds on hosts that fail in the middle: each is finished, or ends with a clear error and nothing left."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from crossbuild.host.command import capture
from crossbuild.host.processes import start_time
from crossbuild.jobs.store import JobStore
from crossbuild.nodes.leases import Ledger
from crossbuild.nodes.store import NodeStore
from tests.integration.node_rig import Host, running_hosts
from tests.integration.offload_rig import (
    GATED,
    Management,
    begins,
    ended,
    events,
    management,
    open_gate,
    restart_server,
    running,
    wait_for,
    worker_of,
)


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, ...]]:
    """Two hosts."""
    with running_hosts(2) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def server(hosts: tuple[Host, ...], tmp_path_factory: pytest.TempPathFactory) -> Management:
    """A management server that knows both, each with the base of all images in its cache."""
    server = management(tmp_path_factory.mktemp("server"), hosts)
    server.warm(*(host.space / "crossbuild-jobs" for host in hosts))
    return server


@pytest.fixture(autouse=True)
def _nothing_is_left(server: Management) -> Iterator[None]:
    yield
    left = server.folders()
    for host in server.hosts:
        # So that one failure is one.
        capture(["sh", "-c", 'rm -rf "$1"/[!.]*', "sh", str(host.space / "crossbuild-jobs")])
    assert left == []
    ledger = Ledger(server.site.state)
    try:
        assert ledger.leases() == ()
        for host in server.hosts:
            ledger.report_success(host.name)
    finally:
        ledger.close()


def test_a_connection_that_is_lost_for_a_while_costs_nothing(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("cut", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        host.cut()
        try:
            wait_for(process, lambda event: "trying again" in event.get("message", ""))
        finally:
            host.mend()
        open_gate(host, job)
        assert ended(process)["event"] == "build-finished"


def test_a_connection_that_ends_is_made_anew_and_nothing_is_told_twice(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("ended", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        worker = worker_of(host, job)
        # The sshd and its sessions, but not what has left them.
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


def test_a_cancelled_job_leaves_nothing(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("cancelled", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        worker = worker_of(host, job)
        server.crossbuild("job", "cancel", job)
        assert ended(process)["error"]["exit_code"] == 128 + signal.SIGTERM
    assert start_time(worker) is None
    assert not (server.folder / "out/cancelled").exists()


def test_a_detached_job_is_cancelled_as_well(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("forsaken", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        process.kill()
    server.crossbuild("job", "cancel", job)
    assert server.condition(job) == "cancelled"


def test_a_node_that_was_asked_for_and_is_restarted_fails_the_build(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("asked", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        os.kill(worker_of(host, job), signal.SIGKILL)
        error = ended(process)["error"]
    assert error["exit_code"] == 4
    assert "without a word" in error["brief"]
    assert not (server.folder / "out/asked").exists()


def test_another_node_finishes_what_one_that_is_restarted_began(server: Management) -> None:
    spec = server.spec("moved", command=GATED)
    with server.building(spec, "--on", "nodes") as process:
        job = running(process, server)
        first = next(host for host in server.hosts if (host.space / f"crossbuild-jobs/{job}").is_dir())
        second = next(host for host in server.hosts if host is not first)
        os.kill(worker_of(first, job), signal.SIGKILL)
        heard = wait_for(process, begins("configuration"))
        assert any("Another node is looked for" in event.get("message", "") for event in heard)
        open_gate(second, job)
        assert ended(process)["event"] == "build-finished"
    record = json.loads((server.folder / "out/moved/image.json").read_text())
    assert record["build"]["venue"] == second.name


def test_a_disk_that_gets_full_is_named(server: Management) -> None:
    host = server.hosts[0]
    jobs = host.space / "crossbuild-jobs"
    output = str(server.folder / "out")
    assert host.process
    # Where its sshd sees it, and nobody else.
    there = ["nsenter", f"--target={host.process.pid}", "--mount"]
    capture([*there, "mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", str(jobs)])
    try:
        spec = str(server.spec("full"))
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


@pytest.mark.parametrize(("policy", "status"), [("fail", 4), ("queue", 4), ("emulate", 0)])
def test_the_policy_decides_where_no_node_can_take_it(server: Management, policy: str, status: int) -> None:
    nodes = NodeStore(server.site.state)
    for host in server.hosts:
        nodes.update(host.name, lambda node: replace(node, drained="for repair"))
    try:
        spec = server.spec(f"policy-{policy}")
        places = ("--on", "host0", "--output", str(server.folder / "out"))
        done = server.with_policy(policy)("build", str(spec), *places, check=False)
    finally:
        for host in server.hosts:
            nodes.update(host.name, lambda node: replace(node, drained=None))
    assert done.status == status, done.stderr
    if status == 0:
        record = json.loads((server.folder / "out" / spec.stem / "image.json").read_text())
        assert record["build"]["venue"] == "local"
        assert "for repair" in record["build"]["venue_reason"]
    else:
        assert "for repair" in done.stderr


def test_orphans_are_removed_and_nobody_elses_jobs(server: Management) -> None:
    host = server.hosts[0]
    with server.building(server.spec("orphan", command=GATED), "--on", host.name) as process:
        job = running(process, server)
        process.kill()
    worker = worker_of(host, job)
    JobStore(server.site.state).remove(job)
    foreign = host.space / "crossbuild-jobs/foreign"
    capture(["cp", "-a", str(host.space / "crossbuild-jobs" / job), str(foreign)])
    order = foreign / "order.json"
    order.write_text(order.read_text().replace(JobStore(server.site.state).site, "0" * 16))
    said = server.crossbuild("job", "clean").stdout
    assert (job in said, "foreign" in said) == (True, False)
    assert server.folders() == ["foreign"]
    capture(["rm", "-rf", str(foreign)])
    assert start_time(worker) is None


def test_waiting_for_a_slot_is_said_and_ends(server: Management) -> None:
    host = server.hosts[0]
    NodeStore(server.site.state).update(host.name, lambda node: replace(node, slots=1))
    try:
        first = server.spec("first", command=GATED)
        with server.building(first, "--on", host.name) as one:
            job = running(one, server)
            with server.building(server.spec("second"), "--on", host.name) as other:
                wait_for(other, lambda event: "Waiting for a slot" in event.get("message", ""))
                open_gate(host, job)
                assert ended(one)["event"] == "build-finished"
                assert ended(other)["event"] == "build-finished"
    finally:
        NodeStore(server.site.state).update(host.name, lambda node: replace(node, slots=2))
