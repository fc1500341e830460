"""Artifacts of a tree with everything that is hard to carry, read with the programs that nodes use."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.artifacts.job import PackJob
from crossbuild.artifacts.packing import PACKERS
from crossbuild.errors import ArtifactError, CommandFailedError, StorageError
from crossbuild.formats.capability import Capabilities, encode
from crossbuild.host.command import capture
from crossbuild.host.survey import survey
from crossbuild.model.artifact import Artifact, OutputKind
from crossbuild.model.spec import ImageSpec
from tests.unit.artifacts.jobs import EPOCH, KERNEL_SPEC, KVER, MODULES, TREE, fill, make_job, no_progress
from tests.unit.artifacts.kernels import ARM64_IMAGE
from tests.unit.specs import make_spec

NET_RAW = encode(Capabilities(permitted=1 << 13, inheritable=0, effective=True))
ODD = os.fsdecode(b"odd\n\xff")
NOBODY = 0xFFFFFFFF
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in ((1, 7, NOBODY), (4, 5, NOBODY), (8, 5, 12345), (16, 5, NOBODY), (32, 5, NOBODY))
)
FIRMWARE: dict[str, bytes | str] = {
    "usr/lib/firmware/card/real.bin": b"firmware",
    "usr/lib/firmware/card.bin": "card/real.bin",
}


DEPENDENCIES = b"kernel/drivers/net/a.ko: kernel/lib/b.ko\nkernel/lib/b.ko:\nkernel/c.ko:\n"


def module(firmware: str = "") -> bytes:
    """Return a kernel module with nothing but a `.modinfo`, which is what depmod and modinfo read."""
    fields = ["license=GPL", "depends=", *([f"firmware={firmware}"] if firmware else [])]
    info = b"".join(field.encode() + b"\0" for field in fields)
    names = b"\0.modinfo\0.shstrtab\0"
    # ELF gABI: a header of 64 bytes, two sections' content, three section headers of 64 bytes.
    sections = 64 + len(info) + len(names)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 1, 183, 1, 0, 0, sections, 0, 64, 0, 0, 64, 3, 2
    )
    table = bytes(64)
    for name, kind, offset, size in ((1, 1, 64, len(info)), (10, 3, 64 + len(info), len(names))):
        table += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, 0, 0, 1, 0)
    return header + info + names + table


@pytest.fixture
def job(tmp_path: Path) -> PackJob:
    """A root with modules, firmware, and what archives lose."""
    files = TREE | FIRMWARE | {
        f"{MODULES}/modules.dep": DEPENDENCIES,
        f"{MODULES}/modules.order": b"kernel/drivers/net/a.ko\n",
        f"{MODULES}/modules.builtin": b"",
        f"{MODULES}/kernel/drivers/net/a.ko": module(firmware="card.bin"),
        f"{MODULES}/kernel/lib/b.ko": module(),
        f"{MODULES}/kernel/c.ko": module(),
        "usr/bin/ping": b"ping",
        "usr/bin/link": b"twice",
        ODD: b"odd",
    }  # fmt: skip
    made = make_job(tmp_path, files, spec=spec_with(drivers=("kernel/drivers/net/",)))
    root = made.root.path
    (root / "usr/bin/other").hardlink_to(root / "usr/bin/link")
    os.mknod(root / "null", 0o20666, os.makedev(1, 3))
    os.chown(root / "usr/bin/link", 1234, 5678)
    for path in (root, *root.rglob("*")):
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    return made


@pytest.fixture
def hard(job: PackJob) -> PackJob:
    """The same with a capability and an access control list for a group that this host has no name for."""
    root = job.root.path
    os.setxattr(root / "usr/bin/ping", "security.capability", NET_RAW)
    os.setxattr(root / "etc", "system.posix_acl_access", ACL)
    return replace(job, survey=survey(root))


def spec_with(*, drivers: Sequence[str] = (), firmware: Sequence[str] = ()) -> ImageSpec:
    kernel = replace(
        KERNEL_SPEC, drivers=tuple(drivers), firmware=tuple(firmware), modprobe=("bonding mode=1",)
    )
    return make_spec(kernel=kernel, outputs=tuple(OutputKind))


def packed(job: PackJob, kind: OutputKind, out: Path) -> dict[str, Artifact]:
    return {artifact.path.name: artifact for artifact in PACKERS[kind](job, out, no_progress)}


def unpack(archive: Path, target: Path) -> Path:
    """Unpack as Warewulf 3's node does, which has no names for users and groups but root's."""
    target.mkdir()
    script = 'mount --bind /dev/null /etc/group && mount --bind /dev/null /etc/passwd && exec bsdtar "$@"'
    capture(["unshare", "--mount", "sh", "-c", script, "bsdtar", "-C", str(target), "-xpf", str(archive)])
    return target


def test_bootstrap_holds_what_wwbootstrap_would_put_there(job: PackJob, tmp_path: Path) -> None:
    packed(job, OutputKind.WAREWULF3, tmp_path / "out")
    tree = unpack(tmp_path / f"out/warewulf3/{KVER}.wwbs", tmp_path / "tree")
    initramfs = tree / "initramfs"
    modules = initramfs / "lib/modules" / KVER
    assert (tree / "kernel").read_bytes() == ARM64_IMAGE
    assert {path.name for path in modules.rglob("*.ko")} == {"a.ko", "b.ko"}
    assert (modules / "modules.dep.bin").is_file()
    assert not (initramfs / "usr").is_symlink()
    assert (initramfs / "lib/firmware/card.bin").readlink() == Path("card/real.bin")
    assert (initramfs / "lib/firmware/card.bin").read_bytes() == b"firmware"
    lines = (initramfs / "etc/wwmodprobe").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["bonding mode=1"]
    assert {(path.lstat().st_uid, path.lstat().st_mtime) for path in tree.rglob("*")} == {(0, EPOCH)}


@pytest.mark.parametrize("wish", ["drivers", "firmware"])
def test_unknown_driver_or_firmware_of_the_user_is_an_error_that_names_it(
    job: PackJob, tmp_path: Path, wish: str
) -> None:
    spoiled = replace(job, spec=spec_with(**{wish: ["no-such-thing"]}))
    with pytest.raises(ArtifactError, match="no-such-thing"):
        packed(spoiled, OutputKind.WAREWULF3, tmp_path / "out")


@pytest.mark.parametrize("tree", ["job", "hard"])
def test_vnfs_arrives_on_the_node(tree: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made: PackJob = request.getfixturevalue(tree)
    packed(made, OutputKind.WAREWULF3, tmp_path / "out")
    node = unpack(tmp_path / "out/warewulf3/node.vnfs", tmp_path / "node")
    assert {path.relative_to(node) for path in node.rglob("*")} == {
        path.relative_to(made.root.path) for path in made.root.path.rglob("*")
    }
    link, other = (node / "usr/bin/link").stat(), (node / "usr/bin/other").stat()
    assert (link.st_ino, link.st_uid, link.st_gid) == (other.st_ino, 1234, 5678)
    assert (node / "null").stat().st_rdev == os.makedev(1, 3)
    assert (node / ODD).read_bytes() == b"odd"
    if tree == "hard":
        assert os.getxattr(node / "usr/bin/ping", "security.capability") == NET_RAW
        assert os.getxattr(node / "etc", "system.posix_acl_access") == ACL


@pytest.mark.parametrize("kind", list(OutputKind))
def test_packing_twice_gives_the_same_bytes(hard: PackJob, tmp_path: Path, kind: OutputKind) -> None:
    first = packed(hard, kind, tmp_path / "one")
    everything = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(everything)})
        assert packed(hard, kind, tmp_path / "two") == first
    finally:
        os.sched_setaffinity(0, everything)


def test_ims_rootfs_keeps_owners_and_attributes(hard: PackJob, tmp_path: Path) -> None:
    files = packed(hard, OutputKind.IMS, tmp_path / "out")
    tree = tmp_path / "tree"
    capture(["unsquashfs", "-quiet", "-no-progress", "-dest", str(tree), str(tmp_path / "out/ims/rootfs")])
    assert os.getxattr(tree / "usr/bin/ping", "security.capability") == NET_RAW
    assert (tree / "usr/bin/link").stat().st_uid == 1234
    manifest = json.loads((tmp_path / "out/ims/manifest.json").read_text())
    assert {entry["link"]["path"]: entry["md5"] for entry in manifest["artifacts"]} == {
        name: file.digests.md5 for name, file in files.items() if name != "manifest.json"
    }
    assert (tmp_path / "out/ims/kernel").read_bytes() == ARM64_IMAGE


@pytest.mark.parametrize("kind", list(OutputKind))
def test_full_disk_is_a_storage_error(hard: PackJob, tmp_path: Path, kind: OutputKind) -> None:
    fill(hard.root.path, {"large": os.urandom(3 << 20)})
    small = tmp_path / "small"
    small.mkdir()
    capture(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)])
    try:
        with pytest.raises((StorageError, CommandFailedError)) as caught:
            packed(replace(hard, survey=survey(hard.root.path)), kind, small)
        assert isinstance(caught.value, StorageError), caught.value.details
        assert "full" in caught.value.brief
    finally:
        capture(["umount", str(small)])


def test_initrd_behind_a_link_is_read_inside_the_root(job: PackJob, tmp_path: Path) -> None:
    (job.root.path / "initrd.img").symlink_to(f"/boot/initrd.img-{KVER}")
    linked = replace(job, initrd=PurePosixPath("/initrd.img"))
    packed(linked, OutputKind.IMS, tmp_path / "out")
    assert (tmp_path / "out/ims/initrd").read_bytes() == b"initrd"
