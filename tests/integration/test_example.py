"""The example image: what a provisioner would find in its artifacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

from crossbuild.formats.elf import HEADER_SIZE, read_header
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import STATE, CommandLine

pytestmark = pytest.mark.image


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack as a node does: with bsdtar, everything restored."""
    folder.mkdir(parents=True)
    capture(["bsdtar", "--extract", "-p", "--file", str(archive), "--directory", str(folder)])
    return folder


@pytest.fixture(scope="module")
def record(built_example: Path) -> dict[str, object]:
    return dict(json.loads((built_example / "image.json").read_text()))


@pytest.fixture(scope="module")
def node(built_example: Path) -> Iterator[Path]:
    """The root file system as the Warewulf 3 node unpacks it."""
    folder = STATE / "node"
    capture(["rm", "--recursive", "--force", str(folder)])
    yield unpack(next(built_example.glob("warewulf3/*.vnfs")), folder)
    capture(["rm", "--recursive", "--force", str(folder)])


@pytest.fixture(scope="module")
def inside(node: Path) -> Host:
    """The same, asked by its own programs."""
    return testinfra.get_host(str(node), connection="chroot")


def elf_machines(folder: Path) -> dict[Path, int]:
    """Return `e_machine` of every ELF file below *folder*."""
    machines = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                header = read_header(file.read(HEADER_SIZE))
            if header is not None:
                machines[path] = header.machine
    return machines


@pytest.mark.parametrize("pattern", ["warewulf3/*.vnfs", "warewulf3/*.wwbs"])
def test_bsdtar_lists_what_warewulf_3_unpacks(built_example: Path, pattern: str) -> None:
    (archive,) = built_example.glob(pattern)
    names = capture(["bsdtar", "--list", "--file", str(archive)]).stdout.splitlines()
    assert len(names) > 100


def test_every_program_and_library_of_the_node_is_for_aarch64(node: Path) -> None:
    machines = elf_machines(node)
    assert len(machines) > 1000
    assert set(machines.values()) == {Architecture.AARCH64.elf_machine}


def test_the_bootstrap_has_a_raw_kernel_and_modules_for_aarch64(
    built_example: Path, record: dict[str, object], tmp_path: Path
) -> None:
    (archive,) = built_example.glob("warewulf3/*.wwbs")
    folder = unpack(archive, tmp_path / "wwbs")
    assert (folder / "kernel").read_bytes()[0x38:0x3C] == b"ARM\x64"
    version = dict(record["kernel"])["version"]  # type: ignore[call-overload]
    modules = folder / "initramfs/lib/modules" / version
    assert (modules / "modules.dep.bin").is_file()
    found = {path.name for path in modules.rglob("*.ko")}
    assert {"virtio_net.ko", "nfsv4.ko", "squashfs.ko"} <= found
    machines = elf_machines(folder)
    assert set(machines.values()) == {Architecture.AARCH64.elf_machine}


def test_the_record_says_how_the_architecture_was_proved(record: dict[str, object]) -> None:
    proof = dict(record["arch_proof"])  # type: ignore[call-overload]
    assert (record["arch"], proof["arch"]) == ("aarch64", "aarch64")
    assert proof["elf_files"] > 1000
    assert proof["interpreter"].endswith("ld-linux-aarch64.so.1")
    assert proof["init"].endswith("systemd")
    assert "arm64" in proof["kernel_header"].lower()


def test_the_docker_archive_says_arm64(built_example: Path, tmp_path: Path) -> None:
    (archive,) = built_example.glob("warewulf4/*.tar")
    capture(["tar", "--extract", "--file", str(archive), "--directory", str(tmp_path), "--exclude=layer.tar"])
    (manifest,) = json.loads((tmp_path / "manifest.json").read_text())
    config = json.loads((tmp_path / manifest["Config"]).read_text())
    assert (config["architecture"], config["os"]) == ("arm64", "linux")


def test_the_ims_manifest_names_each_artifact_with_its_md5(built_example: Path) -> None:
    manifest = json.loads((built_example / "ims/manifest.json").read_text())
    types = [entry["type"].removeprefix("application/vnd.cray.image.") for entry in manifest["artifacts"]]
    assert sorted(types) == ["initrd", "kernel", "parameters.boot", "rootfs.squashfs"]
    assert all(len(entry["md5"]) == 32 for entry in manifest["artifacts"])
    listing = capture(["unsquashfs", "-lls", str(built_example / "ims/rootfs")]).stdout
    assert "squashfs-root/usr/lib/systemd/systemd" in listing


def test_file_capabilities_arrive(built_example: Path, node: Path, record: dict[str, object]) -> None:
    assert capture(["getcap", str(node / "usr/bin/ping")]).stdout.endswith("cap_net_raw=ep\n")
    recorded = [entry["path"] for entry in record["capabilities"]]  # type: ignore[attr-defined]
    assert "/usr/bin/ping" in recorded
    restore = (built_example / "warewulf4/restore-capabilities.sh").read_text()
    assert all(path in restore for path in recorded)


def test_nothing_that_must_differ_between_nodes_is_in_the_image(node: Path) -> None:
    assert list((node / "etc/ssh").glob("ssh_host_*")) == []
    assert (node / "etc/machine-id").read_bytes() == b""
    for name in ("etc/resolv.conf", "etc/hostname"):
        assert not (node / name).exists() or (node / name).read_bytes() == b""
    assert list((node / "var/lib/apt/lists").rglob("*Packages*")) == []
    assert list((node / "var/cache/apt").rglob("*.deb")) == []
    assert not (node / "usr/sbin/policy-rc.d").exists()
    assert list((node / "var/lib/systemd").glob("random-seed")) == []


def test_services_and_packages_are_as_the_spec_says(inside: Host) -> None:
    assert inside.system_info.distribution == "debian"
    assert inside.check_output("uname -m") == "aarch64"
    for package in ("openssh-server", "chrony", "nfs-common", "systemd-sysv"):
        assert inside.package(package).is_installed
    for service in ("ssh", "chrony", "crossbuild-ssh-host-keys"):
        assert inside.check_output(f"systemctl is-enabled {service}") == "enabled"
    assert "iface eth0 inet dhcp" in inside.file("/etc/network/interfaces").content_string
    assert inside.check_output("dpkg --audit") == ""


def test_the_set_is_undamaged_and_listed(crossbuild: CommandLine, built_example: Path) -> None:
    crossbuild("artifacts", "verify", str(built_example))
    shown = crossbuild("artifacts", "show", str(built_example)).stdout
    assert "aarch64" in shown
    packages = json.loads((built_example / "packages.json").read_text())
    components = json.loads((built_example / "sbom.cdx.json").read_text())["components"]
    assert len(packages) == len(components) > 150
