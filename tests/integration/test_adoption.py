"""`crossbuild artifacts adopt`: sets of files that were made elsewhere, and what is refused."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from crossbuild.artifacts.store import load_set, verify_set
from crossbuild.model.artifact import OutputKind
from tests.integration.conftest import CommandLine
from tests.integration.small_sets import small_set
from tests.integration.warewulf3_rig import Warewulf3Host
from tests.integration.warewulf4_rig import Warewulf4Host
from tests.unit.artifacts.jobs import KVER
from tests.unit.artifacts.kernels import ARM64_IMAGE, BZIMAGE
from tests.unit.trees import X86_64, make_elf


@pytest.fixture(scope="session")
def warewulf3_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    made = small_set(tmp_path_factory.mktemp("foreign") / "one", OutputKind.WAREWULF3)
    bootstrap, vnfs = (next(made.glob(f"warewulf3/*.{kind}")) for kind in ("wwbs", "vnfs"))
    return "--bootstrap", str(bootstrap), "--vnfs", str(vnfs)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_set(tmp_path_factory.mktemp("foreign") / "two", OutputKind.WAREWULF4)
    return made / "warewulf4/node.tar"


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("foreign") / "three", OutputKind.IMS) / "ims/rootfs"


def test_adopted_set_is_proved_whole_and_registered(
    crossbuild: CommandLine, tmp_path: Path, warewulf3_files: tuple[str, ...]
) -> None:
    output = ("--output", str(tmp_path), "--kernel-args", "console=ttyAMA0")
    crossbuild("artifacts", "adopt", "foreign", *warewulf3_files, *output)
    found = load_set(tmp_path / "foreign")
    assert verify_set(found) == ()
    proof = found.record["arch_proof"]
    assert isinstance(proof, dict)
    assert (proof["arch"], proof["elf_files"], proof["init"]) == ("aarch64", 3, "/sbin/init")
    kernel = found.record["kernel"]
    assert isinstance(kernel, dict)
    assert (kernel["version"], kernel["args"]) == (KVER, "console=ttyAMA0")
    host = Warewulf3Host(tmp_path / "host", crossbuild)
    host.add_node("n1")
    host("warewulf3", tmp_path / "foreign", "--node", "n1", check=True)
    assert host.read()["nodes"]["n1"]["KARGS"] == "console=ttyAMA0"
    assert "not known" in crossbuild("artifacts", "show", str(tmp_path / "foreign")).stdout


def test_adopted_archive_is_registered_in_warewulf_4(
    crossbuild: CommandLine, tmp_path: Path, archive: Path
) -> None:
    crossbuild("artifacts", "adopt", "foreign", "--archive", str(archive), "--output", str(tmp_path))
    host = Warewulf4Host(tmp_path / "host", crossbuild)
    host("warewulf4", tmp_path / "foreign", check=True)
    assert len(host.images()) == 1


def test_adopted_ims_files_get_a_manifest(crossbuild: CommandLine, tmp_path: Path, rootfs: Path) -> None:
    files = {"--rootfs": rootfs, "--kernel": tmp_path / "kernel", "--initrd": tmp_path / "initrd"}
    (tmp_path / "kernel").write_bytes(ARM64_IMAGE)
    (tmp_path / "initrd").write_bytes(b"initrd")
    options = (str(word) for pair in files.items() for word in pair)
    crossbuild("artifacts", "adopt", "foreign", *options, "--output", str(tmp_path))
    manifest = json.loads((tmp_path / "foreign/ims/manifest.json").read_text())
    listed = {artifact["link"]["path"]: artifact["md5"] for artifact in manifest["artifacts"]}
    stored = {one.path.name: one.digests.md5 for one in load_set(tmp_path / "foreign").artifacts}
    assert listed == {name: stored[name] for name in ("rootfs", "kernel", "initrd", "boot_parameters")}


def edited_archive(archive: Path, target: Path, *, arch: str = "arm64", shell: bytes | None = None) -> Path:
    """Write a copy of a docker-archive that says *arch*, or whose layer has only *shell*."""
    with tarfile.open(archive) as source, tarfile.open(target, "w") as copy:
        for member in source.getmembers():
            stream = source.extractfile(member)
            assert stream is not None
            content = stream.read().replace(b'"architecture":"arm64"', f'"architecture":"{arch}"'.encode())
            if member.name == "layer.tar" and shell is not None:
                content = layer_of(shell, target.with_suffix(".layer"))
            member.size = len(content)
            scratch = target.with_suffix(".member")
            scratch.write_bytes(content)
            with scratch.open("rb") as file:
                copy.addfile(member, file)
    return target


def layer_of(shell: bytes, scratch: Path) -> bytes:
    program = scratch.with_suffix(".sh")
    program.write_bytes(shell)
    with tarfile.open(scratch, "w") as layer:
        layer.add(program, "bin/sh")
    return scratch.read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"arch": "amd64"}, "says that it is for amd64", id="another platform"),
        pytest.param({"shell": make_elf(machine=X86_64)}, "bin/sh", id="a program for another machine"),
        pytest.param({"shell": b"#!/bin/sh"}, "no ELF files", id="no program at all"),
    ],
)
def test_archive_that_is_not_for_aarch64_is_refused(
    crossbuild: CommandLine, tmp_path: Path, archive: Path, changes: dict[str, bytes | str], words: str
) -> None:
    path = edited_archive(archive, tmp_path / "edited.tar", **changes)  # type: ignore[arg-type]
    result = crossbuild(
        "artifacts", "adopt", "foreign", "--archive", str(path), "--output", str(tmp_path), check=False
    )
    assert (result.status, words in result.stderr) == (1, True)
    assert not (tmp_path / "foreign").exists()


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        pytest.param(["--bootstrap", "junk"], 2, "together", id="half of what belongs together"),
        pytest.param([], 2, "nothing to adopt", id="nothing"),
        pytest.param(["--archive", "junk"], 1, "docker-archive", id="no archive"),
        pytest.param(["--bootstrap", "junk", "--vnfs", "junk"], 1, "foreign.vnfs", id="no packed files"),
        pytest.param(["--rootfs", "junk", "--kernel", "x86", "--initrd", "junk"], 1, "", id="no squashfs"),
    ],
)
def test_what_is_no_image_is_refused(
    crossbuild: CommandLine, tmp_path: Path, options: list[str], status: int, words: str
) -> None:
    (tmp_path / "junk").write_bytes(b"junk" * 300)
    (tmp_path / "x86").write_bytes(BZIMAGE)
    given = [option if option.startswith("--") else str(tmp_path / option) for option in options]
    result = crossbuild("artifacts", "adopt", "foreign", *given, "--output", str(tmp_path), check=False)
    assert (result.status, words in result.stderr) == (status, True)
    assert not (tmp_path / "foreign").exists()


def test_kernel_of_another_architecture_is_refused(
    crossbuild: CommandLine, tmp_path: Path, rootfs: Path
) -> None:
    for name in ("kernel", "initrd"):
        (tmp_path / name).write_bytes(BZIMAGE)
    options = ("--rootfs", rootfs, "--kernel", tmp_path / "kernel", "--initrd", tmp_path / "initrd")
    result = crossbuild(
        "artifacts", "adopt", "foreign", *map(str, options), "--output", str(tmp_path), check=False
    )
    assert (result.status, "kernel is not for aarch64" in result.stderr) == (1, True)


def test_set_that_is_there_is_not_replaced(crossbuild: CommandLine, tmp_path: Path, archive: Path) -> None:
    command = ("artifacts", "adopt", "foreign", "--archive", str(archive), "--output", str(tmp_path))
    crossbuild(*command)
    assert crossbuild(*command, check=False).status == 2
