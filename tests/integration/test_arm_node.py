"""A whole aarch64 machine as a node: the roots that it makes are those that this host makes, accelerated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

import crossbuild as library
from crossbuild.config.spec import load_spec
from crossbuild.executors.layer_cache import name_of
from crossbuild.nodes.ssh import Connection, connect
from crossbuild.nodes.store import NodeStore
from tests.integration.arm_rig import ArmMachine, build_image, running_machine
from tests.integration.conftest import STATE, CommandLine
from tests.integration.node_rig import agent
from tests.integration.offload_rig import Management, management

pytestmark = pytest.mark.image

SPEC = """\
name: small
distro: debian
release: "12"
kernel: false
packages: [iputils-ping]
commands: ["uname -m >/etc/motd"]
outputs: [warewulf4]
"""


@pytest.fixture(scope="module")
def machine(crossbuild: CommandLine) -> Iterator[ArmMachine]:
    """The machine."""
    folder = STATE / "arm"
    image = build_image(crossbuild, folder)
    with agent(folder / "user_key"), running_machine(image, folder / "machine") as machine:
        yield machine


@pytest.fixture(scope="module")
def server(machine: ArmMachine, tmp_path_factory: pytest.TempPathFactory) -> Management:
    """A management server that has added it, and given it its disk for builds."""
    server = management(tmp_path_factory.mktemp("server"), (), shares=("apt", "layers", "tools"))
    server.crossbuild("node", "add", f"root@{machine.address}", "--name", "arm", "--arch", "aarch64", "--yes")
    lacking = server.crossbuild("node", "prepare", "arm", check=False)
    assert (lacking.status, "mkdir" in lacking.stderr) == (1, True), lacking
    server.crossbuild("node", "prepare", "arm", "--device", "/dev/vda", "--apply")
    return server


@pytest.fixture(scope="module")
def node(server: Management) -> Connection:
    """The way to it."""
    store = NodeStore(server.site.state)
    return connect(store, store.load("arm"))


def test_its_state_is_that_of_an_arm_machine_with_podman(server: Management) -> None:
    (status,) = json.loads(server.crossbuild("node", "status", "--json").stdout)
    assert (status["usable"], status["facts"]["arch"]) == (True, "aarch64")
    assert status["facts"]["ways"] == {"apt": "tools", "dnf": "podman", "zypper": "podman"}
    # The disk, and not the memory that holds its root.
    assert status["facts"]["disk_free"] > 5_000_000_000
    (said,) = json.loads(server.crossbuild("node", "status", "--json", "--ims").stdout)
    assert (said["ableToRunJobs"], said["nodeArch"]) == (True, "aarch64")
    assert said["podmanStatus"] == "Podman present at /usr/bin/podman"


def test_a_root_made_there_is_the_one_made_here(server: Management, node: Connection, tmp_path: Path) -> None:
    spec = server.folder / "small.yaml"
    spec.write_text(SPEC)
    server.crossbuild("build", str(spec), "--on", "local", "--output", str(tmp_path))
    hand_base(server, node, spec)
    there = server.build(spec, "--on", "arm")
    server.crossbuild("artifacts", "diff", str(there), str(tmp_path / "small"))
    assert json.loads((there / "image.json").read_text())["build"]["venue"] == "arm"
    log = server.crossbuild("job", "logs", server.jobs()[-1]["id"]).stdout
    assert "Setting up iputils-ping" in log
    assert node.run(["ls", "/var/tmp/crossbuild/crossbuild-jobs"]).stdout == ""


def hand_base(server: Management, node: Connection, spec: Path) -> None:
    """Let the machine have the tree without packages, which it would need minutes for, under emulation."""
    base = name_of(library.plan(load_spec(spec, server.site), server.site).layers[0])
    layers = PurePosixPath("/var/tmp/crossbuild/crossbuild-jobs/.cache/layers")
    node.run(["sh", "-c", f"umask 077; mkdir -p {layers}"])
    node.send(STATE / "state/cache/layers" / base, layers / base)
