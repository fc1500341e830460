"""`crossbuild register warewulf4`: what arrives, what is refused, and what is left after it fails."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.artifacts.receipts import read_receipt
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.receipt import ReceiptState
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import ARGUMENTS, copied, receipts, small_set
from tests.integration.warewulf4_rig import Warewulf4Host
from tests.unit.artifacts.kernels import BZIMAGE
from tests.unit.trees import X86_64, make_elf

VERSIONS = ["4.5.8", "4.6.4", "4.7.0"]


@pytest.fixture
def host(tmp_path: Path, crossbuild: CommandLine) -> Warewulf4Host:
    return Warewulf4Host(tmp_path / "host", crossbuild)


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("packed") / "one", OutputKind.WAREWULF4)


@pytest.fixture
def directory(packed: Path, tmp_path: Path) -> Path:
    """A set of the test's own."""
    return copied(packed, tmp_path / "out")


@pytest.mark.parametrize("version", VERSIONS)
def test_image_is_imported_under_a_new_name_built_and_looked_through(
    tmp_path: Path, crossbuild: CommandLine, directory: Path, version: str
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild, version=version)
    said = host("warewulf4", directory, check=True)
    (name,) = host.images()
    assert re.fullmatch(r"node-aarch64-[0-9a-f]{8}", name)
    assert f"set --yes --{'container' if version < '4.6' else 'image'}={name}" in said.stderr
    assert (host.prefix / f"var/provision/images/{name}.img").exists()
    receipt = read_receipt(directory / "receipts/warewulf4-1.json")
    (image,) = receipt.objects
    assert (receipt.state, receipt.version) == (ReceiptState.REGISTERED, f"{version}-1")
    assert (image.name, image.arch, image.place) == (name, Architecture.AARCH64, str(host.rootfs(name)))


def test_dry_run_prints_the_commands_and_changes_nothing(host: Warewulf4Host, directory: Path) -> None:
    host.add_node("n1")
    before = host.snapshot()
    said = host("warewulf4", directory, "--name", "image", "--node", "n1", "--dry-run", check=True).stdout
    told = [line.removeprefix("Would: ").split("  # ")[0] for line in said.splitlines()]
    assert told == [
        f"wwctl image import --syncuser {directory}/warewulf4/node.tar image",
        "wwctl image show image",
        "wwctl image build image",
        "wwctl image list --size image",
        f"""wwctl node set --yes --image=image '--kernelargs="{ARGUMENTS}"' n1""",
        "wwctl overlay build n1",
        "wwctl node list --all n1",
    ]
    assert host.snapshot() == before
    assert receipts(directory) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_nodes_and_profiles_boot_the_image_and_go_back_with_one_command(
    tmp_path: Path, crossbuild: CommandLine, directory: Path, version: str
) -> None:
    host = Warewulf4Host(tmp_path / "host", crossbuild, version=version)
    host.add_overlay("wwclient.aarch64")
    word = "container" if version < "4.6" else "image"
    host.add_node("n1")
    host.add_node("n2", **{f"{word} name": "older", "system overlay": ["wwinit", "wwclient", "own"]})
    host.rootfs("older").mkdir(parents=True)
    before = host.snapshot()
    host("warewulf4", directory, "--name", "new", "--node", "n1", "--node", "n2", "--profile", "default")
    document = host.read()
    for entry in (document["nodes"]["n1"], document["nodes"]["n2"], document["nodeprofiles"]["default"]):
        assert entry[f"{word} name"] == "new"
        assert entry["kernel"]["args"] == (ARGUMENTS if word == "container" else [ARGUMENTS])
        assert "wwclient.aarch64" in entry["system overlay"]
        assert "~wwclient" in entry["system overlay"]
    assert document["nodes"]["n2"]["system overlay"][:2] == ["wwinit", "own"]
    assert (host.prefix / "built-overlays").read_text() == "n1 n2"
    host("--undo", receipts(directory)[0], check=True)
    assert host.snapshot() == before


def test_undo_leaves_what_others_use_or_changed(host: Warewulf4Host, directory: Path) -> None:
    host("warewulf4", directory, "--name", "used", check=True)
    host.add_node("n9", **{"image name": "used"})
    said = host("--undo", receipts(directory)[0], check=True).stdout
    assert "used by node n9" in said
    assert host.images() == ["used"]


def test_undo_leaves_an_image_that_was_changed(host: Warewulf4Host, directory: Path) -> None:
    host("warewulf4", directory, "--name", "image", check=True)
    (host.rootfs("image") / "etc/added").write_text("by hand")
    said = host("--undo", receipts(directory)[0], check=True).stdout
    assert "changed what is in it" in said
    assert host.images() == ["image"]


def test_registering_again_does_nothing_and_adds_nodes(host: Warewulf4Host, directory: Path) -> None:
    host.add_node("n1")
    host("warewulf4", directory, check=True)
    before = host.snapshot()
    assert "Nothing to do" in host("warewulf4", directory, check=True).stdout
    assert host.snapshot() == before
    host("warewulf4", directory, "--node", "n1", check=True)
    assert host.read()["nodes"]["n1"]["image name"] == host.images()[0]
    assert len(receipts(directory)) == 2
    host("--undo", receipts(directory)[1], check=True)
    assert host.snapshot() == before


def configured(old: str, new: str) -> Callable[[Warewulf4Host], object]:
    def edit(host: Warewulf4Host) -> None:
        path = host.prefix / "etc/warewulf/warewulf.conf"
        path.write_text(path.read_text().replace(old, new))

    return edit


@pytest.mark.parametrize(
    ("harm", "options", "words"),
    [
        pytest.param(lambda host: (host.prefix / "bin/wwctl").unlink(), [], "wwctl", id="no program"),
        pytest.param(configured('"00:0B"', '"00:07"'), [], "00:0B", id="no iPXE configured"),
        pytest.param(lambda host: shutil.rmtree(host.prefix / "ipxe"), [], "snponly", id="no iPXE"),
        pytest.param(lambda host: shutil.rmtree(host.prefix / "tftp"), [], "tftp", id="no iPXE served"),
        pytest.param(
            lambda host: (host.prefix / "tftp/warewulf/snponly.efi").write_bytes(BZIMAGE),
            [],
            "no EFI program",
            id="another iPXE served",
        ),
        pytest.param(configured("tftp:", "tftp: ["), [], "warewulf.conf", id="damaged configuration"),
        pytest.param(lambda _: None, ["--name", "a b"], "a b", id="a name with a blank"),
        pytest.param(lambda _: None, ["--node", "n[1-2]"], "n[1-2]", id="a pattern of nodes"),
        pytest.param(lambda _: None, ["--node", "n9"], "n9", id="no such node"),
        pytest.param(lambda _: None, ["--profile", "p9"], "p9", id="no such profile"),
        pytest.param(lambda _: None, ["--node", "x1"], "--set-arch", id="a node of another architecture"),
        pytest.param(lambda _: None, ["--name", "taken"], "taken already", id="a name that is taken"),
    ],
)
def test_bad_input_is_one_error_and_warewulf_is_as_before(
    host: Warewulf4Host,
    directory: Path,
    harm: Callable[[Warewulf4Host], object],
    options: list[str],
    words: str,
) -> None:
    for image in ("intel", "taken"):
        (host.rootfs(image) / "bin").mkdir(parents=True)
    (host.rootfs("intel") / "bin/sh").write_bytes(make_elf(machine=X86_64))
    host.add_node("x1", **{"image name": "intel"})
    harm(host)
    before = host.snapshot()
    result = host("warewulf4", directory, *options)
    assert result.status == 4
    assert result.stderr.count("Error:") == 1
    assert words in result.stderr
    assert host.snapshot() == before
    assert receipts(directory) == []


def test_damaged_set_is_refused_with_status_1(host: Warewulf4Host, directory: Path) -> None:
    path = directory / "warewulf4/node.tar"
    path.write_bytes(path.read_bytes()[:-1])
    result = host("warewulf4", directory)
    assert (result.status, "node.tar" in result.stderr) == (1, True)
    assert host.images() == []


@pytest.mark.parametrize(
    "fault",
    [
        "wrong-arch",
        "deaf-image-import",
        "deaf-image-build",
        "deaf-node-set",
    ],
)
def test_wwctl_that_fails_with_status_0_is_found_out_and_taken_back(
    host: Warewulf4Host, directory: Path, fault: str
) -> None:
    host.add_node("n1")
    before = host.snapshot()
    host.let(fault)
    assert host("warewulf4", directory, "--node", "n1").status == 4
    assert host.snapshot() == before
    assert receipts(directory) == []


@pytest.mark.parametrize(
    "moment", ["begun-import", "half-import", "killed-image-import", "killed-image-build", "killed-node-set"]
)
def test_killed_registration_is_repeated_to_success_and_taken_back_whole(
    host: Warewulf4Host, directory: Path, moment: str
) -> None:
    host.add_node("n1", kernel={"args": ["debug"]})
    before = host.snapshot()
    fault = host.let(moment)
    assert host("warewulf4", directory, "--node", "n1").status == -9
    fault.unlink()
    host("warewulf4", directory, "--node", "n1", check=True)
    (receipt,) = receipts(directory)
    assert read_receipt(receipt).state is ReceiptState.REGISTERED
    host("--undo", receipt, check=True)
    assert host.snapshot() == before


def test_json_of_a_dry_run_holds_the_commands(host: Warewulf4Host, directory: Path) -> None:
    value = json.loads(host("warewulf4", directory, "--dry-run", "--json", check=True).stdout)
    assert value["done"] is False
    assert value["actions"][0]["action"].startswith("wwctl image import")
