"""Slots of hosts, and what the policy says of them; jobs that are cancelled, or are needed by nobody."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest

from crossbuild.host.command import capture
from crossbuild.host.processes import start_time
from crossbuild.jobs.store import JobStore
from crossbuild.nodes.store import NodeStore
from tests.integration.offload_fixtures import hosts, nothing_is_left, server
from tests.integration.offload_rig import (
    GATED,
    Management,
    ended,
    open_gate,
    running,
    wait_for,
    worker_of,
)

__all__ = ["hosts", "nothing_is_left", "server"]

pytestmark = pytest.mark.usefixtures("nothing_is_left")


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


@pytest.mark.parametrize(("policy", "status"), [("fail", 4), ("queue", 4), ("emulate", 0)])
def test_the_policy_decides_where_no_node_can_take_it(server: Management, policy: str, status: int) -> None:
    nodes = NodeStore(server.site.state)
    for host in server.hosts:
        nodes.update(host.name, lambda node: replace(node, drained="for repair"))
    try:
        spec = server.spec(f"policy-{policy}")
        places = ("--on", "host0", "--output", str(server.folder / "out"))
        changed = server.with_settings(policy, f"offload: {{fallback: {policy}}}\n")
        done = changed.crossbuild("build", str(spec), *places, check=False)
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
                wait_for(other, lambda event: "Building on" in event.get("message", ""))
                server.crossbuild("job", "cancel", "second")
                ended(other)
    finally:
        NodeStore(server.site.state).update(host.name, lambda node: replace(node, slots=2))
