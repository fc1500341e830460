"""Builds in jobs of a real Slurm, compared with the same builds on this host."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.jobs.batch import space_of
from tests.integration.offload_rig import (
    GATED,
    Management,
    begins,
    ended,
    management,
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
    server = management(tmp_path_factory.mktemp("server"), (), settings=settings)
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


def test_a_job_that_is_requeued_begins_anew(server: Management, shared: Path) -> None:
    with server.building(server.spec("requeued", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        capture(["scontrol", "requeue", number(shared, job)])
        wait_for(process, lambda event: "PENDING" in event.get("message", ""))
        # Slurm waits two minutes, in case the node comes to its senses.
        capture(["scontrol", "update", f"JobId={number(shared, job)}", "StartTime=now"])
        wait_for(process, begins("configuration"))
        open_gate(job)
        assert ended(process)["event"] == "build-finished"


def test_a_job_that_slurm_ends_fails_the_build(server: Management, shared: Path) -> None:
    with server.building(server.spec("ended", command=GATED), "--on", "slurm") as process:
        job = running(process, server)
        capture(["scancel", number(shared, job)])
        error = ended(process)["error"]
    assert error["exit_code"] == 4
    assert "it was cancelled in Slurm" in error["details"]


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
    told = capture(["squeue", "--noheader", "--states=all", "--format=%T", "--jobs", known]).stdout
    assert told.strip() == "CANCELLED"


def test_what_slurm_refuses_is_said_in_its_words(server: Management) -> None:
    config = server.folder / "wrong.yaml"
    config.write_text(server.crossbuild.config.read_text().replace("builds", "missing"))
    refused = type(server.crossbuild)(config)
    done = refused("build", str(server.spec("refused")), "--on", "slurm", check=False)
    assert done.status == 4
    assert "Invalid partition name" in done.stderr
