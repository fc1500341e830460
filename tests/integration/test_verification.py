"""Verification against the programs that make the real things: setcap, cpio, tar, mksquashfs, zstd."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.formats.capability import from_text, to_text
from crossbuild.host import command
from crossbuild.host.survey import survey
from crossbuild.model.architecture import Architecture
from crossbuild.model.root import Root
from crossbuild.verification import squashfs
from crossbuild.verification.packed import verify_packed
from crossbuild.verification.tree import verify_root
from tests.unit.trees import SOUND, X86_64, make_elf, make_root, program

pytestmark = pytest.mark.real

PING = PurePosixPath("/usr/bin/ping")
ODD = PurePosixPath("/usr/bin/a [b]\\ *\ncaf\udce9")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A sound root with a file capability, two names of one file, and a file with a very odd name."""
    made = make_root(tmp_path / "root", {**SOUND, str(PING): program(), str(ODD): program()})
    (made.path / "usr/bin/ping6").hardlink_to(made.path / PING.relative_to("/"))
    command.capture(["setcap", "cap_net_raw=ep", str(made.path / PING.relative_to("/"))])
    return made


def packed(root: Root, directory: Path, archive: str) -> Path:
    """Pack *root* as the archive of that name below *directory*, and return *directory*."""
    target = directory / archive
    target.parent.mkdir(parents=True)
    place = str(root.path)
    if archive == "ims/rootfs":
        command.capture(["mksquashfs", place, str(target), "-no-progress", "-quiet", "-noappend"])
    elif archive.endswith(".vnfs"):
        tar = str(target) + ".plain"
        xattrs = ["--xattrs", "--xattrs-include=*"]
        command.capture(
            ["tar", "--create", "--format=pax", *xattrs, f"--file={tar}", f"--directory={place}", "."]
        )
        target.write_bytes(gzip.compress(Path(tar).read_bytes()))
    else:
        raise AssertionError(archive)
    return directory


@pytest.mark.parametrize(
    "text",
    [
        "cap_net_raw=ep",
        "cap_chown,cap_net_raw=ep",
        "cap_net_raw=eip",
        "cap_net_raw=ip",
        "cap_chown,cap_perfmon=p",
        "cap_chown=p [rootid=1000]",
    ],
)
def test_capabilities_are_written_as_setcap_and_getcap_do(tmp_path: Path, text: str) -> None:
    file = tmp_path / "program"
    file.write_bytes(program())
    clause, _, root_id = text.removesuffix("]").partition(" [rootid=")
    command.capture(["setcap", *(["-n", root_id] if root_id else []), clause, str(file)])
    (capability,) = survey(tmp_path).capabilities
    assert to_text(capability.value) == text
    assert from_text(text) == capability.value
    assert command.capture(["getcap", "-n", str(file)]).stdout.strip() == f"{file} {text}"


@pytest.mark.parametrize("archive", ["warewulf3/a.vnfs", "ims/rootfs"])
def test_a_well_packed_root_has_all_its_programs_and_capabilities(
    root: Root, tmp_path: Path, archive: str
) -> None:
    tree = survey(root.path)
    assert [capability.path for capability in tree.capabilities] == [PING, PING.with_name("ping6")]
    verification = verify_packed(packed(root, tmp_path / "set", archive), tree, root.arch)
    assert verification.findings == ()
    assert verification.proof.elf_files == 6
    assert [path.name for path in (tmp_path / "set/ims").glob(".*")] == []


@pytest.mark.parametrize("archive", ["warewulf3/a.vnfs", "ims/rootfs"])
def test_what_was_lost_or_slipped_in_while_packing_is_found(root: Root, tmp_path: Path, archive: str) -> None:
    tree = survey(root.path)
    command.capture(["setcap", "-r", str(root.path / PING.relative_to("/"))])
    (root.path / ODD.relative_to("/")).write_bytes(make_elf(machine=X86_64))
    verification = verify_packed(packed(root, tmp_path / "set", archive), tree, root.arch)
    assert [(str(finding.path), finding.check) for finding in verification.findings] == [
        (f"{archive}{ODD}", "architecture"),
        (f"{archive}/usr/bin/ping", "capabilities"),
        (f"{archive}/usr/bin/ping6", "capabilities"),
    ]


def test_an_old_unsquashfs_that_writes_to_no_pipe_finds_the_same(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = packed(root, tmp_path / "set", "ims/rootfs")
    monkeypatch.setattr(squashfs, "_help", lambda: "SYNTAX: unsquashfs 4.3")
    verification = verify_packed(directory, survey(root.path), root.arch)
    assert verification.findings == ()
    assert verification.proof.elf_files == 7, "both names of the program that has two"
    assert [path.name for path in (tmp_path / "set/ims").glob(".*")] == []


def test_a_squashfs_cut_short_is_found(root: Root, tmp_path: Path) -> None:
    directory = packed(root, tmp_path / "set", "ims/rootfs")
    image = directory / "ims/rootfs"
    image.write_bytes(image.read_bytes()[:300])
    (finding,) = verify_packed(directory, survey(root.path), Architecture.AARCH64).findings
    assert (str(finding.path), finding.check) == ("ims/rootfs", "archive")


def test_kernel_modules_in_zstd_are_looked_into(root: Root) -> None:
    modules = root.path / "usr/lib/modules/6.1"
    for folder, content in (("a", make_elf(kind=1)), ("b", make_elf(kind=1, machine=X86_64)), ("c", b"junk")):
        (modules / folder).mkdir(parents=True)
        module = modules / folder / "same.ko"
        module.write_bytes(content)
        command.capture(["zstd", "--quiet", "--rm", str(module)])
    (modules / "d").mkdir()
    shutil.copyfile(root.path / "usr/bin/dash", modules / "d/damaged.ko.zst")
    verification = verify_root(root, kernel=None)
    assert verification.notes == ()
    assert [(str(finding.path), finding.check) for finding in verification.findings] == [
        ("/usr/lib/modules/6.1/b/same.ko.zst", "architecture"),
        ("/usr/lib/modules/6.1/c/same.ko.zst", "architecture"),
        ("/usr/lib/modules/6.1/d/damaged.ko.zst", "architecture"),
    ]
