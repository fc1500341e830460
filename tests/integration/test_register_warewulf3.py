"""`crossbuild register warewulf3`: what arrives, what is refused, and what is left after it fails."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossbuild.artifacts.receipts import read_receipt
from crossbuild.model.artifact import OutputKind
from crossbuild.model.receipt import ReceiptState
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import ARGUMENTS, receipts, small_set
from tests.integration.warewulf3_rig import Warewulf3Host, directory, host, packed

__all__ = ["directory", "host", "packed"]

VERSIONS = ["3.8.1", "3.9.0", "3.10.0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_imported_is_read_back_with_its_architecture(
    tmp_path: Path, crossbuild: CommandLine, directory: Path, version: str
) -> None:
    host = Warewulf3Host(tmp_path / "host", crossbuild, version=version)
    host("warewulf3", directory, check=True)
    stored = host.read()["objects"].values()
    assert {(item["_TYPE"], item["ARCH"]) for item in stored} == {
        ("bootstrap", "aarch64"),
        ("vnfs", "aarch64"),
    }
    receipt = read_receipt(directory / "receipts/warewulf3-1.json")
    assert receipt.state is ReceiptState.REGISTERED
    assert receipt.version == version
    assert {(one.kind, one.id, one.arch, one.checksum) for one in receipt.objects} == {
        (item["_TYPE"], item["_ID"], item["ARCH"], f"md5:{item['CHECKSUM']}") for item in stored
    }


def test_images_of_one_name_tell_themselves_apart(
    host: Warewulf3Host, tmp_path: Path, directory: Path
) -> None:
    other = small_set(tmp_path / "other", OutputKind.WAREWULF3, content=b"another\n")
    for one in (directory, other):
        host("warewulf3", one, check=True)
    names = {item["NAME"] for item in host.read()["objects"].values()}
    assert len(names) == 2
    assert all(re.fullmatch(r"node-aarch64-[0-9a-f]{8}", name) for name in names)


def test_registering_again_does_nothing(host: Warewulf3Host, directory: Path) -> None:
    host("warewulf3", directory, check=True)
    before = host.snapshot()
    assert "Nothing to do" in host("warewulf3", directory, check=True).stdout
    assert host.snapshot() == before
    assert len(receipts(directory)) == 1


def test_dry_run_prints_the_commands_and_changes_nothing(host: Warewulf3Host, directory: Path) -> None:
    host.add_node("n1")
    before = host.snapshot()
    said = host("warewulf3", directory, "--name", "image", "--node", "n1", "--dry-run", check=True).stdout
    bootstrap, vnfs = (next(directory.glob(f"warewulf3/*.{kind}")) for kind in ("wwbs", "vnfs"))
    told = [line.removeprefix("Would: ").split("  # ")[0] for line in said.splitlines()]
    assert told == [
        f"wwsh bootstrap import {bootstrap} --name=image --arch=aarch64",
        "wwsh object jsondump --type=bootstrap image",
        f"wwsh vnfs import {vnfs} --name=image --arch=aarch64",
        "wwsh object jsondump --type=vnfs image",
        "wwsh node set n1 --arch=aarch64",
        f"wwsh provision set n1 --bootstrap=image --vnfs=image --kargs={ARGUMENTS}",
        "wwsh pxe update n1",
        "wwsh dhcp update",
        "wwsh node print n1; wwsh provision print n1",
    ]
    assert host.snapshot() == before
    assert receipts(directory) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_named_nodes_boot_the_image(
    tmp_path: Path, crossbuild: CommandLine, directory: Path, version: str
) -> None:
    host = Warewulf3Host(tmp_path / "host", crossbuild, version=version)
    for name in ("n1", "n2", "bystander"):
        host.add_node(name)
    host("warewulf3", directory, "--name", "image", "--node", "n1", "--node", "n2", check=True)
    nodes = host.read()["nodes"]
    for name in ("n1", "n2"):
        assert nodes[name]["ARCH"] == "aarch64"
        assert (nodes[name]["BOOTSTRAP"], nodes[name]["VNFS"]) == ("image", "image")
        assert nodes[name]["KARGS"] == ARGUMENTS
        assert "/aarch64/101/kernel" in (host.state / "ipxe/cfg" / nodes[name]["eth0.HWADDR"]).read_text()
    assert "BOOTSTRAP" not in nodes["bystander"]


@pytest.mark.parametrize("version", VERSIONS)
def test_undo_leaves_warewulf_as_it_was(
    tmp_path: Path, crossbuild: CommandLine, directory: Path, version: str
) -> None:
    host = Warewulf3Host(tmp_path / "host", crossbuild, version=version)
    host.add_node("n1")
    host.add_node("n2", ARCH="aarch64", KARGS="debug quiet")
    earlier = small_set(tmp_path / "earlier", OutputKind.WAREWULF3, content=b"earlier\n")
    host("warewulf3", earlier, "--node", "n2", "--kernel-args", "console=ttyS0", check=True)
    before = host.snapshot()
    host("warewulf3", directory, "--node", "n1", "--node", "n2", check=True)
    (receipt,) = receipts(directory)
    host("--undo", receipt, check=True)
    assert host.snapshot() == before
    assert read_receipt(receipt).state is ReceiptState.UNDONE
    again = host("--undo", receipt)
    assert (again.status, "already" in again.stderr) == (2, True)


def test_undo_leaves_what_others_use_or_changed(host: Warewulf3Host, directory: Path) -> None:
    host.add_node("n1")
    host.add_node("n2")
    host("warewulf3", directory, "--name", "image", "--node", "n1", check=True)
    database = host.read()
    database["nodes"]["n1"]["KARGS"] = "rescue"
    database["nodes"]["n2"].update(ARCH="aarch64", VNFS="image")
    host.write(database)
    said = host("--undo", receipts(directory)[0], check=True).stdout
    assert "KARGS of node n1" in said
    assert "These nodes boot it: n2" in said
    after = host.read()
    assert after["nodes"]["n1"]["KARGS"] == "rescue"
    assert "BOOTSTRAP" not in after["nodes"]["n1"]
    assert [item["_TYPE"] for item in after["objects"].values()] == ["vnfs"]


def test_undo_as_a_dry_run_changes_nothing(host: Warewulf3Host, directory: Path) -> None:
    host("warewulf3", directory, "--name", "image", check=True)
    before = host.snapshot()
    said = host("--undo", receipts(directory)[0], "--dry-run", check=True).stdout
    assert "wwsh vnfs delete image" in said
    assert host.snapshot() == before


def test_images_kept_as_files_are_rebuilt_after_the_import(host: Warewulf3Host, directory: Path) -> None:
    (host.etc / "database.conf").write_text(
        f"database driver = sqlite\nbinstore kind = filesystem\nbinstore fs path = {host.prefix}/binaries\n"
    )
    before = host.snapshot()
    host("warewulf3", directory, "--name", "image", check=True)
    assert "bootstrap rebuild image" in host.calls()
    host("--undo", receipts(directory)[0], check=True)
    assert host.snapshot() == before


def test_folders_of_a_wrong_architecture_go_only_with_consent(host: Warewulf3Host, directory: Path) -> None:
    host("warewulf3", directory, "--name", "image", check=True)
    stale = host.state / "bootstrap/x86_64/101"
    stale.mkdir(parents=True)
    (stale / "kernel").touch()
    for options in ([], ["--dry-run"]):
        told = host("warewulf3", directory, "--name", "image", *options, check=True)
        assert str(stale) in told.stderr
        assert stale.exists()
    host("warewulf3", directory, "--name", "image", "--remove-stale", check=True)
    assert not stale.exists()
    assert (host.state / "bootstrap/aarch64/101/kernel").exists()


def test_two_at_a_time_register_once(host: Warewulf3Host, directory: Path) -> None:
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(host, "warewulf3", directory) for _ in range(2)]
        results = [one.result() for one in both]
    assert [result.status for result in results] == [0, 0]
    assert sum("Nothing to do" in result.stdout for result in results) == 1
    assert len(receipts(directory)) == 1
    assert len(host.read()["objects"]) == 2


def test_receipt_that_was_copied_away_takes_back_all_the_same(
    host: Warewulf3Host, tmp_path: Path, directory: Path
) -> None:
    host("warewulf3", directory, check=True)
    copy = tmp_path / "receipt.json"
    copy.write_text(receipts(directory)[0].read_text())
    host("--undo", copy, check=True)
    assert host.read()["objects"] == {}
