"""Builds in jobs of a real Slurm, compared with the same builds on this host."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.jobs.batch import space_of
from tests.integration.offload_rig import (
    GATED,
    Management,
    begins,
    ended,
    quick_management,
    running,
    wait_for,
)
from tests.integration.slurm_rig import PATIENCE, Cluster, running_slurm

SPACE = Path(space_of(0))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A Slurm with two compute nodes."""
    with running_slurm() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Path:
    """What the management server shares with compute nodes."""
    folder = cluster.folder / "shared"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Management]:
    """A management server that submits to it."""
    settings = f"slurm: {{folder: {shared}, partition: builds}}\n"
    with quick_management(tmp_path_factory.mktemp("server"), (), settings=settings) as server:
        server.warm(shared / "crossbuild-jobs")
        yield server
    if not list(SPACE.glob("[!.]*")):
        shutil.rmtree(SPACE, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_is_left(server: Management, shared: Path) -> Iterator[None]:
    yield
    assert list((shared / "crossbuild-jobs").glob("[!.]*")) == []
    assert [path.name for path in SPACE.glob("[!.]*")] == []


def open_gate(job: str) -> None:
    """Let the step GATED of *job* end, on whichever node it runs."""
    deadline = time.monotonic() + PATIENCE
    while not (found := list(SPACE.glob(f"{job}.*/{job}/root"))):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (found[0] / "go").touch()


def told(shared: Path, job: str, column: str) -> str:
    """Return what squeue shows of *job* in *column*."""
    query = ["--states=all", f"--format={column}", "--jobs", number(shared, job)]
    return capture(["squeue", "--noheader", *query]).stdout.strip()


def start_now(shared: Path, job: str) -> None:
    """Have Slurm start *job* again, for which it waits two minutes, in case its node comes to its senses."""
    # Until then it may still kill what it started first, and takes the second start for that (KillWait).
    time.sleep(3)
    capture(["scontrol", "update", f"JobId={number(shared, job)}", "StartTime=now"])


def idle(node: str) -> bool:
    """Tell whether the compute node *node* may have jobs."""
    return capture(["sinfo", "--noheader", "--nodes", node, "--format=%T"]).stdout.split()[0] == "idle"


@contextlib.contextmanager
def urgent_work(shared: Path) -> Iterator[None]:
    """Keep all nodes busy with something for which other jobs give way."""
    words = ["--parsable", "--partition=urgent", "--nodes=2", f"--chdir={shared}", "--output=/dev/null"]
    found = capture(["sbatch", *words], stdin="#!/bin/sh\nexec sleep 300\n").stdout.strip()
    deadline = time.monotonic() + PATIENCE
    while capture(["squeue", "--noheader", "--format=%T", "--jobs", found]).stdout.strip() != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    try:
        yield
    finally:
        capture(["scancel", found])


def number(shared: Path, job: str) -> str:
    return (shared / "crossbuild-jobs" / job / "slurm.id").read_text()


def test_a_fleet_in_slurm_gives_the_same_sets(server: Management, tmp_path: Path) -> None:
    specs = [server.spec("one"), server.spec("two", motd="others")]
    output = server.folder / "out"
    said = server.crossbuild(
        "build", *map(str, specs), "--on", "slurm", "--json", "--output", str(output)
    ).stdout
    events = [json.loads(line) for line in said.splitlines()]
    for spec in specs:
        assert [e for e in events if e["build"] == spec.stem][-1]["event"] == "build-finished"
        server.crossbuild("build", str(spec), "--on", "local", "--output", str(tmp_path))
        server.crossbuild("artifacts", "diff", str(output / spec.stem), str(tmp_path / spec.stem))
        record = json.loads((output / spec.stem / "image.json").read_text())
        assert record["build"]["venue"] == "slurm"


def test_a_controller_that_is_restarted_is_waited_for(server: Management, cluster: Cluster) -> None:
    with server.building(server.spec("restarted", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        cluster.stop("controller")
        wait_for(process, lambda event: "does not answer" in event.get("message", ""))
        cluster.start_controller()
        open_gate(job)
        assert ended(process)["event"] == "build-finished"


def test_a_job_that_gives_way_to_an_urgent_one_begins_anew(server: Management, shared: Path) -> None:
    with server.building(server.spec("requeued", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        with urgent_work(shared):
            wait_for(process, lambda event: "PENDING" in event.get("message", ""))
        start_now(shared, job)
        wait_for(process, begins("configuration"))
        open_gate(job)
        assert ended(process)["event"] == "build-finished"


def test_a_compute_node_that_dies_gives_way_to_another_one(
    server: Management, cluster: Cluster, shared: Path
) -> None:
    with server.building(server.spec("died", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        first = told(shared, job, "%N")
        cluster.crash_node(first, int((shared / "crossbuild-jobs" / job / "pid").read_text()))
        wait_for(process, lambda event: "PENDING" in event.get("message", ""))
        start_now(shared, job)
        wait_for(process, begins("configuration"))
        assert told(shared, job, "%N") != first
        cluster.start_node(first)
        open_gate(job)
        assert ended(process)["event"] == "build-finished"


def cancelled(_cluster: Cluster, shared: Path, job: str) -> None:
    capture(["scancel", number(shared, job)])


def preempted(_cluster: Cluster, shared: Path, _job: str) -> None:
    with urgent_work(shared):
        pass


def out_of_time(cluster: Cluster, shared: Path, job: str) -> None:
    capture(["scontrol", "update", f"JobId={number(shared, job)}", "EndTime=now+1"])
    cluster.wait(lambda: told(shared, job, "%T") != "RUNNING")


def without_node(cluster: Cluster, shared: Path, job: str) -> None:
    node = told(shared, job, "%N")
    capture(["scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=broken"])
    cluster.wait(lambda: idle(node))


@pytest.mark.parametrize(
    ("fault", "option", "why"),
    [
        pytest.param(cancelled, "--partition=builds", "it was cancelled in Slurm", id="cancelled"),
        pytest.param(preempted, "--partition=spare", "another job took its node", id="preempted"),
        pytest.param(out_of_time, "--partition=builds", "it ran into the time limit", id="time"),
        pytest.param(without_node, "--no-requeue", "its node failed", id="node"),
    ],
)
def test_a_job_that_slurm_ends_fails_the_build(
    server: Management,
    cluster: Cluster,
    shared: Path,
    fault: Callable[[Cluster, Path, str], None],
    option: str,
    why: str,
) -> None:
    changed = server.with_settings("ended", f"slurm: {{folder: {shared}, options: [{option}]}}\n")
    with changed.building(server.spec("ended", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        fault(cluster, shared, job)
        error = ended(process)["error"]
    assert error["exit_code"] == 4
    assert why in error["details"]
    assert server.condition(job) == "failed"
    assert not (server.folder / "out/ended").exists()


@pytest.mark.parametrize(("policy", "status"), [("fail", 4), ("emulate", 0)])
def test_an_account_that_a_partition_keeps_out_is_a_case_for_the_policy(
    server: Management, shared: Path, policy: str, status: int
) -> None:
    settings = f"slurm: {{folder: {shared}, partition: theirs, account: chemistry}}\n"
    changed = server.with_settings(policy, f"{settings}offload: {{fallback: {policy}}}\n")
    spec = server.spec(f"account-{policy}")
    output = server.folder / "out"
    done = changed.crossbuild("build", str(spec), "--on", "slurm", "--output", str(output), check=False)
    words = "it can't use this partition (theirs allows physics)"
    assert done.status == status, done.stderr
    assert capture(["squeue", "--noheader"]).stdout == ""
    if status == 0:
        build = json.loads((output / spec.stem / "image.json").read_text())["build"]
        assert build["venue"] == "local"
        assert words in build["venue_reason"]
    else:
        assert words in done.stderr
        assert not (output / spec.stem).exists()


def test_a_killed_client_is_followed_by_another_one(server: Management) -> None:
    with server.building(server.spec("killed", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        process.kill()
    assert server.condition(job) == "detached"
    open_gate(job)
    server.crossbuild("job", "attach", job)
    server.crossbuild("artifacts", "verify", str(server.folder / "out/killed"))


def test_a_cancelled_job_is_cancelled_in_slurm(server: Management, shared: Path) -> None:
    with server.building(server.spec("cancelled", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        known = number(shared, job)
        server.crossbuild("job", "cancel", job)
        ended(process)
    assert server.condition(job) == "cancelled"
    said = capture(["squeue", "--noheader", "--states=all", "--format=%T", "--jobs", known]).stdout
    assert said.strip() == "CANCELLED"


def test_what_slurm_refuses_is_said_in_its_words(server: Management, shared: Path) -> None:
    refused = server.with_settings("refused", f"slurm: {{folder: {shared}, partition: missing}}\n")
    done = refused.crossbuild("build", str(server.spec("refused")), "--on", "slurm", check=False)
    assert done.status == 4
    assert "Invalid partition name" in done.stderr
