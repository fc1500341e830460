"""`crossbuild register warewulf3`: what is refused, and what is left after it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.artifacts.receipts import read_receipt
from crossbuild.model.artifact import OutputKind
from crossbuild.model.receipt import ReceiptState
from tests.integration.small_sets import receipts, small_set
from tests.integration.warewulf3_rig import Warewulf3Host, directory, host, packed
from tests.unit.artifacts.kernels import ARM64_IMAGE
from tests.unit.formats.test_cpio import END, member
from tests.unit.trees import X86_64, make_elf

__all__ = ["directory", "host", "packed"]

PE_OF_X86_64 = ARM64_IMAGE.replace(b"\x64\xaa", b"\x64\x86")


def needs(path: str) -> Callable[[Warewulf3Host], object]:
    return lambda host: host.forget(path)


def holds(path: str, content: bytes) -> Callable[[Warewulf3Host], object]:
    return lambda host: (host.prefix / path).write_bytes(content)


def test_what_cannot_be_told_is_a_note(host: Warewulf3Host, directory: Path) -> None:
    for path in ("state/warewulf/initramfs/aarch64/base", "share/warewulf/ipxe/bin-arm64-efi/snp.efi"):
        holds(path, b"something")(host)
    said = host("warewulf3", directory, "--dry-run", check=True).stderr
    assert "cpio" in said
    assert "EFI" in said


@pytest.mark.parametrize(
    ("harm", "options", "words"),
    [
        pytest.param(needs("bin/wwsh"), [], "wwsh", id="no program"),
        pytest.param(lambda host: host.let("broken"), [], "data store", id="no database"),
        pytest.param(needs("state/warewulf/initramfs/aarch64/base"), [], "base", id="no initramfs"),
        pytest.param(needs("state/warewulf/initramfs/aarch64/capabilities"), [], "capabilities", id="none"),
        pytest.param(needs("share/warewulf/ipxe"), [], "snp.efi", id="no iPXE"),
        pytest.param(
            holds("state/warewulf/initramfs/aarch64/base", member("bin/sh", make_elf(machine=X86_64)) + END),
            [],
            "bin/sh is for ELF machine 62",
            id="initramfs of the server",
        ),
        pytest.param(
            holds("share/warewulf/ipxe/bin-arm64-efi/snp.efi", PE_OF_X86_64), [], "for x86_64", id="x86 iPXE"
        ),
        pytest.param(needs("ca.crt"), [], "cacert", id="no certificates"),
        pytest.param(lambda host: (host.prefix / "version").write_text("3.7"), [], "3.8", id="too old"),
        pytest.param(lambda _: None, ["--name", "a b"], "a b", id="a name with a blank"),
        pytest.param(lambda _: None, ["--name", "--help"], "--help", id="a name like an option"),
        pytest.param(lambda _: None, ["--node", "n[1-2]"], "n[1-2]", id="a pattern of nodes"),
        pytest.param(lambda _: None, ["--node", "n9"], "n9", id="no such node"),
        pytest.param(lambda _: None, ["--node", "x1"], "--set-arch", id="a node of another architecture"),
        pytest.param(
            lambda _: None, ["--kernel-args", 'a="b"', "--node", "n1"], "--kernel-args", id="quotes"
        ),
    ],
)
def test_bad_input_is_one_error_and_warewulf_is_as_before(
    host: Warewulf3Host,
    directory: Path,
    harm: Callable[[Warewulf3Host], object],
    options: list[str],
    words: str,
) -> None:
    host.add_node("n1")
    host.add_node("x1", ARCH="x86_64")
    harm(host)
    before = host.snapshot()
    result = host("warewulf3", directory, *options)
    assert result.status == 4
    assert result.stderr.count("Error:") == 1
    assert words in result.stderr
    assert host.snapshot() == before
    assert receipts(directory) == []


def test_node_of_another_architecture_is_converted_with_consent_and_back(
    host: Warewulf3Host, directory: Path
) -> None:
    host.add_node("x1", ARCH="x86_64")
    before = host.snapshot()
    host("warewulf3", directory, "--node", "x1", "--set-arch", check=True)
    assert host.read()["nodes"]["x1"]["ARCH"] == "aarch64"
    host("--undo", receipts(directory)[0], check=True)
    assert host.snapshot() == before


def test_another_image_of_the_same_name_is_not_overwritten(
    host: Warewulf3Host, tmp_path: Path, directory: Path
) -> None:
    other = small_set(tmp_path / "other", OutputKind.WAREWULF3, content=b"another\n")
    host("warewulf3", other, "--name", "image", check=True)
    before = host.snapshot()
    result = host("warewulf3", directory, "--name", "image")
    assert (result.status, "image already" in result.stderr) == (4, True)
    assert host.snapshot() == before


@pytest.mark.parametrize("file", ["*.vnfs", "*.wwbs"])
def test_damaged_set_is_refused_with_status_1(host: Warewulf3Host, directory: Path, file: str) -> None:
    path = next(directory.glob(f"warewulf3/{file}"))
    path.write_bytes(path.read_bytes()[:-1])
    result = host("warewulf3", directory)
    assert (result.status, path.name in result.stderr) == (1, True)
    assert host.calls() == []


def test_set_of_another_architecture_is_refused(host: Warewulf3Host, directory: Path) -> None:
    record = json.loads((directory / "image.json").read_text())
    (directory / "image.json").write_text(json.dumps(record | {"arch": "x86_64"}))
    result = host("warewulf3", directory)
    assert (result.status, "x86_64" in result.stderr) == (4, True)
    assert host.calls() == []


@pytest.mark.parametrize(
    "fault",
    [
        "short-bootstrap",
        "short-vnfs",
        "deaf-bootstrap-import",
        "deaf-vnfs-import",
        "deaf-node-set",
        "deaf-provision-set",
    ],
)
def test_wwsh_that_fails_with_status_0_is_found_out_and_taken_back(
    host: Warewulf3Host, directory: Path, fault: str
) -> None:
    host.add_node("n1")
    before = host.snapshot()
    host.let(fault)
    result = host("warewulf3", directory, "--node", "n1")
    assert result.status == 4
    assert host.snapshot() == before
    assert receipts(directory) == []


@pytest.mark.parametrize(
    "moment",
    [
        "half-bootstrap",
        "half-vnfs",
        "killed-bootstrap-import",
        "killed-vnfs-import",
        "killed-node-set",
        "killed-provision-set",
        "killed-dhcp-update",
    ],
)
def test_killed_registration_is_repeated_to_success_and_taken_back_whole(
    host: Warewulf3Host, directory: Path, moment: str
) -> None:
    host.add_node("n1", KARGS="debug")
    before = host.snapshot()
    fault = host.let(moment)
    assert host("warewulf3", directory, "--node", "n1").status == -9
    (unfinished,) = receipts(directory)
    assert read_receipt(unfinished).state is ReceiptState.UNFINISHED
    fault.unlink()
    host("warewulf3", directory, "--node", "n1", check=True)
    (receipt,) = receipts(directory)
    assert read_receipt(receipt).state is ReceiptState.REGISTERED
    assert host.read()["nodes"]["n1"]["ARCH"] == "aarch64"
    host("--undo", receipt, check=True)
    assert host.snapshot() == before


def test_failure_that_cannot_be_taken_back_says_what_to_do(host: Warewulf3Host, directory: Path) -> None:
    host.let("short-vnfs")
    deaf = host.let("deaf-bootstrap-delete")
    result = host("warewulf3", directory)
    assert result.status == 4
    (unfinished,) = receipts(directory)
    assert f"crossbuild register --undo {unfinished}" in result.stderr
    deaf.unlink()
    host("--undo", unfinished, check=True)
    assert host.read()["objects"] == {}


def test_json_holds_the_receipt(host: Warewulf3Host, directory: Path) -> None:
    value = json.loads(host("warewulf3", directory, "--json", check=True).stdout)
    assert value["receipt"] == {
        key: item for key, item in json.loads(Path(value["path"]).read_text()).items() if key != "schema"
    }
    assert json.loads(host("warewulf3", directory, "--json", check=True).stdout)["receipt"] is None
