"""What stands around registering in IMS: build nodes, locks, and files for BOS, CFS and imports."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossbuild.host.command import CommandResult, capture, environment
from tests.fakes.ims.hsm import KNOWN
from tests.fakes.ims.system import System
from tests.integration.ims_rig import ims, register, small_set, system

__all__ = ["small_set", "system"]

NODE = KNOWN[0]
READY = {
    "ableToRunJobs": True,
    "nodeArch": "aarch64",
    "numCurrentJobs": 2,
    "podmanStatus": "Podman present at /usr/bin/podman",
    "sshStatus": "SSH connection established.",
}


def told(system: System, *arguments: str) -> Any:
    return json.loads(ims(system, *arguments, "--json").stdout)


def test_a_build_node_is_added_once_listed_and_removed(system: System) -> None:
    assert told(system, "remote-build-nodes", "create", NODE) == {"xname": NODE, "created": True}
    assert told(system, "remote-build-nodes", "create", NODE) == {"xname": NODE, "created": False}
    assert system.ims.nodes == [NODE]
    assert told(system, "remote-build-nodes", "list") == [{"xname": NODE}]
    assert told(system, "remote-build-nodes", "delete", NODE) == {"xname": NODE, "deleted": True}
    assert told(system, "remote-build-nodes", "delete", NODE) == {"xname": NODE, "deleted": False}
    assert system.ims.nodes == []


@pytest.mark.parametrize(("state", "status", "word"), [(READY, 0, "ready"), ({}, 1, "not ready")])
def test_the_state_of_a_build_node_is_told_with_its_reason(
    system: System, state: dict[str, Any], status: int, word: str
) -> None:
    ims(system, "remote-build-nodes", "create", NODE)
    system.ims.states[NODE] = state
    for arguments in ([], [NODE]):
        said = ims(system, "remote-build-nodes", "status", *arguments)
        assert (said.status, word in said.stdout) == (status, True)
        assert state.get("sshStatus", "Name or service not known") in said.stdout


def test_a_build_node_that_ims_does_not_have_is_refused(system: System) -> None:
    said = ims(system, "remote-build-nodes", "status", NODE)
    assert (said.status, "remote-build-nodes create" in said.stderr) == (4, True)


@pytest.mark.parametrize("name", ["no.such.host; rm -rf", "status", "-oProxyCommand=x", "", "a/b"])
def test_a_name_that_ims_would_hand_to_ssh_is_refused(system: System, name: str) -> None:
    assert ims(system, "remote-build-nodes", "create", "--", name).status == 2
    assert system.ims.nodes == []


def test_nodes_are_locked_and_unlocked_also_twice(system: System) -> None:
    for _ in range(2):
        assert [state["locked"] for state in told(system, "lock", *KNOWN)] == [True, True]
    assert system.services.locks.locked == set(KNOWN)
    assert told(system, "locks", NODE)[0]["locked"] is True
    for _ in range(2):
        assert [state["locked"] for state in told(system, "unlock", NODE)] == [False]
    assert system.services.locks.locked == {KNOWN[1]}


@pytest.mark.parametrize(("name", "status"), [("x1c1s1b1n1", 4), ("node one", 2)])
def test_a_lock_of_an_unknown_node_changes_nothing(system: System, name: str, status: int) -> None:
    assert ims(system, "lock", NODE, name).status == status
    assert system.services.locks.locked == set()


def test_images_are_filtered_here_since_ims_does_not(system: System, small_set: Path) -> None:
    register(system, small_set)
    image = next(iter(system.ims.tables["images"].values()))
    system.ims.tables["images"]["x"] = {**image, "id": image["id"][:-1] + "0", "arch": "x86_64"}
    (found,) = told(system, "images", "--arch", "aarch64")
    assert (found["id"], found["link"]["etag"]) == (image["id"], image["link"]["etag"])
    assert len(told(system, "images")) == 2
    assert ims(system, "images", "00000000-0000-0000-0000-000000000000").status == 4


def test_the_session_template_says_arm_and_has_the_etag_twice(
    system: System, small_set: Path, tmp_path: Path
) -> None:
    register(system, small_set)
    image = next(iter(system.ims.tables["images"].values()))
    out = tmp_path / "boot"
    receipt = small_set / "receipts/ims-1.json"
    assert ims(system, "write-boot-files", str(receipt), "--node", NODE, "--output", str(out)).status == 0
    (boot_set,) = json.loads((out / "bos-template.json").read_text())["boot_sets"].values()
    etag, rootfs = image["link"]["etag"], f"s3://boot-images/{image['id']}/rootfs"
    assert (boot_set["arch"], boot_set["etag"], boot_set["type"]) == ("ARM", etag, "s3")
    assert (boot_set["path"], boot_set["node_roles_groups"]) == (image["link"]["path"], ["Compute"])
    assert boot_set["kernel_parameters"] == (
        "ip=dhcp quiet spire_join_token=${SPIRE_JOIN_TOKEN} "
        f"root=live:{rootfs} nmd_data=url={rootfs},etag={etag}"
    )


BOOTING = f"""\
cray bos sessiontemplates create --file ./bos-template.json --cfs-configuration remote-ims-node \
bos_ims_remote_node --format json
cray bos sessions create --template-name bos_ims_remote_node --operation boot --limit {NODE}
cray hsm locks lock create --component-ids {NODE} --format json
cray hsm locks status create --component-ids {NODE} --format json
cray ims remote-build-nodes create --xname {NODE} --format json
cray ims remote-build-nodes status describe {NODE} --format json
"""
IMAGE = "02c18757-b546-4a9f-9eae-891928bbbbb9"
COMMIT = "545dd8f97645ee6882a8cef2f7dfdf25a63c1d8e"
CUSTOMIZING = f"""\
cray cfs v3 configurations update remote-ims-node --file ./cfs-configuration.json --format json
cray cfs sessions create --target-group Application {IMAGE} --target-image-map {IMAGE} \
ims-remote-image-aarch64 --target-definition image --name build-ims-remote-image-aarch64 \
--configuration-name remote-ims-node
cray cfs sessions describe build-ims-remote-image-aarch64 --format json
"""
MANAGEMENT = f"""\
kubectl -n services get cm cray-ims-remote-keys -o yaml
cray sls networks describe NMNLB --format json
ceph auth export client.kube -o /etc/ceph/ceph.client.kube.keyring
scp /etc/ceph/ceph.conf {NODE}:/etc/ceph/
scp /etc/ceph/ceph.client.admin.keyring {NODE}:/etc/ceph/
scp /etc/ceph/ceph.client.admin-tools.keyring {NODE}:/etc/ceph/
scp /etc/ceph/ceph.client.kube.keyring {NODE}:/etc/ceph/
"""


@pytest.fixture
def transcript(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Programs of a management node that only write down how they were called, and the PATH to them."""
    programs, log = tmp_path / "bin", tmp_path / "log"
    programs.mkdir()
    for name in ("cray", "kubectl", "ceph", "scp", "jq"):
        note = "" if name == "jq" else f'printf "%s\\n" "{name} $*" >>{log}\n'
        (programs / name).write_text(f"#!/bin/sh\n{note}echo public_key {name}\n")
        (programs / name).chmod(0o755)
    return log, environment({"PATH": f"{programs}:{os.environ['PATH']}"})


def test_the_boot_script_gives_the_commands_of_the_vendor(
    system: System, small_set: Path, tmp_path: Path, transcript: tuple[Path, dict[str, str]]
) -> None:
    register(system, small_set)
    receipt = str(small_set / "receipts/ims-1.json")
    ims(system, "write-boot-files", receipt, "--node", NODE, "--output", str(tmp_path / "boot"))
    log, env = transcript
    capture([str(tmp_path / "boot/boot.sh")], env=env, stdin="\n")
    assert log.read_text() == BOOTING


def node_files(system: System, folder: Path, **changes: str) -> CommandResult:
    options = {
        "node": NODE,
        "image": IMAGE,
        "clone-url": "https://vcs.cmn.example.com/vcs/cray/csm-config-management.git",
        "commit": COMMIT,
        "dns-server": "10.92.100.225",
        "output": str(folder),
        **changes,
    }
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    return ims(system, "write-node-files", *words)


def test_the_scripts_for_a_build_node_give_the_commands_of_the_vendor(
    system: System, tmp_path: Path, transcript: tuple[Path, dict[str, str]]
) -> None:
    assert node_files(system, tmp_path / "node").status == 0
    log, env = transcript
    capture([str(tmp_path / "node/customize.sh")], env=env, stdin="\n")
    assert log.read_text() == CUSTOMIZING
    log.unlink()
    capture([str(tmp_path / "node/prepare-management.sh")], env=env)
    assert log.read_text() == MANAGEMENT
    capture(["bash", "-n", str(tmp_path / "node/prepare-node.sh")])


NODE_COMMANDS = (
    "zypper addrepo --priority 4",
    "https://packages.local/repository/${REPOSITORY}/",
    "SUSE-SLE-Module-${MODULE}-15-SP${SERVICE_PACK}-aarch64-Pool",
    "zypper install -y podman",
    'NETCONFIG_DNS_STATIC_SEARCHLIST="nmn mtl hmn"',
    "netconfig update -f",
    "zypper install -y ceph-common",
    'rbd create kube/buildcache --size "${SIZE}"',
    "rbd feature disable kube/buildcache object-map fast-diff deep-flatten",
    "rbd map kube/buildcache --id kube --keyring",
    'mkfs.ext4 "${RBD}"',
    'mount "${RBD}" /mnt/cache',
    "for FOLDER in /tmp /var/lib/containers /var/tmp",
    "mount --bind",
)


def test_the_script_of_the_node_has_the_commands_of_the_vendor(system: System, tmp_path: Path) -> None:
    node_files(system, tmp_path / "node")
    text = (tmp_path / "node/prepare-node.sh").read_text()
    assert [command for command in NODE_COMMANDS if command not in text] == []


def test_cfs_clones_from_inside_the_mesh(system: System, tmp_path: Path) -> None:
    node_files(system, tmp_path / "node")
    (layer,) = json.loads((tmp_path / "node/cfs-configuration.json").read_text())["layers"]
    inside = f"{system.gateway.url.replace('http', 'https', 1)}/vcs/cray/csm-config-management.git"
    assert layer == {"clone_url": inside, "commit": COMMIT, "playbook": "ims_computes.yml"}


@pytest.mark.parametrize(
    "change",
    [
        {"node": "x;reboot"},
        {"image": "latest"},
        {"commit": "main"},
        {"configuration": "$(reboot)"},
        {"session": "a b"},
        {"size": "1;reboot"},
        {"dns-server": "'; reboot"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_would_harm_a_script_is_refused(system: System, tmp_path: Path, change: dict[str, str]) -> None:
    assert node_files(system, tmp_path / "node", **change).status == 2
    assert not (tmp_path / "node").exists()


def test_the_bulk_import_states_the_architecture(system: System, small_set: Path) -> None:
    for options, place in (
        ([], ("file", str(small_set / "ims"))),
        (["--base-url", "https://a/b"], ("http", "https://a/b")),
    ):
        manifest = yaml.safe_load(ims(system, "load-artifacts", str(small_set), *options).stdout)
        image = manifest["images"]["node"]
        assert (manifest["version"], image["arch"]) == ("1.1.0", "aarch64")
        record = {
            item["path"]: item["md5"] for item in json.loads((small_set / "image.json").read_text())["files"]
        }
        for entry in image["artifacts"]:
            assert entry["link"]["type"] == place[0]
            folder, _, name = entry["link"]["path"].rpartition("/")
            assert (folder, entry["md5"]) == (place[1], record[f"ims/{name}"])
