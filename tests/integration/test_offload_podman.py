"""Builds on a host that has Podman, and neither a Python nor a package manager of the image's."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.model.builder import EngineKind
from tests.integration.engine_rig import PATIENCE, RunningEngine, remove_storage
from tests.integration.node_rig import Host, running_hosts
from tests.integration.offload_rig import (
    GATED,
    Management,
    ended,
    management,
    open_gate,
    restart_server,
    running,
)

LACKING = ("python", "mmdebstrap", "apt-get", "dnf", "zypper", "rpm", "podman")
"""Beginnings of the names of programs that its sessions do not find."""


@pytest.fixture(scope="module")
def podman() -> Iterator[RunningEngine]:
    """A Podman of the tests' own."""
    # It takes no folder for its state whose path is longer than 50 characters.
    folder = Path(tempfile.mkdtemp(prefix="podman-"))
    engine = RunningEngine(EngineKind.PODMAN, folder)
    yield engine
    engine.client("rm", "--all", "--force")
    remove_storage(folder)


@pytest.fixture(scope="module")
def host(podman: RunningEngine) -> Iterator[Host]:
    """A host that has that Podman."""
    with running_hosts(1) as (host,):
        programs = host.folder / "programs"
        programs.mkdir()
        for program in Path("/usr/bin").iterdir():
            if not program.name.startswith(LACKING):
                (programs / program.name).symlink_to(program)
        podman.write_client(programs / "podman")
        host.stop()
        host.path = f"{programs}:/usr/sbin"
        host.start()
        yield host


@pytest.fixture(scope="module")
def server(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Management:
    """A management server that knows it."""
    server = management(tmp_path_factory.mktemp("server"), (host,), shares=("apt", "layers", "tools"))
    server.warm()
    return server


def test_a_build_in_a_container_gives_the_same_set(
    server: Management, podman: RunningEngine, tmp_path: Path
) -> None:
    (status,) = json.loads(server.crossbuild("node", "status", "--json").stdout)
    assert (status["usable"], set(status["facts"]["ways"].values())) == (True, {"podman"})
    spec = server.spec("same")
    elsewhere = server.build(spec, "--on", "host0")
    server.crossbuild("build", str(spec), "--output", str(tmp_path), "--on", "local")
    server.crossbuild("artifacts", "diff", str(elsewhere), str(tmp_path / "same"))
    log = server.crossbuild("job", "logs", server.jobs()[-2]["id"]).stdout
    assert "container of Podman" in log
    # What was sent once serves again.
    (image,) = podman.client("images", "--quiet").split()
    server.build(server.spec("other", motd="other"), "--on", "host0")
    assert podman.client("images", "--quiet").split() == [image]
    assert "Sending" not in server.crossbuild("job", "logs", server.jobs()[-1]["id"]).stdout
    assert server.folders() == []
    require_containers(podman)


def test_a_build_in_a_container_outlives_connection_and_client(
    server: Management, host: Host, podman: RunningEngine
) -> None:
    with server.building(server.spec("lasting", command=GATED), "--on", "host0") as process:
        job = running(process, server)
        restart_server(host)
    require_containers(podman, f"crossbuild-{job}")
    open_gate(host, job)
    server.crossbuild("job", "attach", job)
    assert server.condition(job) == "done"
    assert server.folders() == []
    require_containers(podman)


def test_a_cancelled_build_leaves_no_container(server: Management, host: Host, podman: RunningEngine) -> None:
    with server.building(server.spec("unwanted", command=GATED), "--on", "host0") as process:
        job = running(process, server)
        server.crossbuild("job", "cancel", job)
        assert ended(process)["error"]["exit_code"] == 128 + signal.SIGTERM
    assert (server.condition(job), server.folders()) == ("cancelled", [])
    require_containers(podman)


def require_containers(podman: RunningEngine, *names: str) -> None:
    """Wait until there are no containers but those.

    Podman removes one by itself after all in it has ended, and one that tells of a job ends within seconds
    after nobody listens any more.
    """
    deadline = time.monotonic() + PATIENCE
    while (found := podman.client("ps", "--all", "--format", "{{.Names}}").split()) != list(names):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
