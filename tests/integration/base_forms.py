"""One tree in every form that a base may have."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from crossbuild.engines.archives import root_image
from crossbuild.host.archives import newc
from crossbuild.host.command import capture
from crossbuild.host.docker_archive import plain_config
from crossbuild.model.architecture import Architecture

ATTRIBUTES = ("--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner")
PACKERS = {"tar.gz": "gzip", "tar.xz": "xz -0", "tar.zst": "zstd -1", "tar.bz2": "bzip2 -1"}


def plain_folder(tree: Path, target: Path) -> None:
    capture(["cp", "--archive", str(tree), str(target)])


def warewulf_folder(tree: Path, target: Path) -> None:
    target.mkdir()
    plain_folder(tree, target / "rootfs")


def tar(tree: Path, target: Path) -> None:
    packer = PACKERS.get(target.name.partition(".")[2])
    program = [f"--use-compress-program={packer}"] if packer else []
    capture(["tar", "--create", *program, *ATTRIBUTES, "--directory", str(tree), "--file", str(target), "."])


def docker_archive(tree: Path, target: Path) -> None:
    with target.open("wb") as file:
        file.writelines(root_image(tree, Architecture.AARCH64).archive("tests:1"))


def packed_docker_archive(tree: Path, target: Path) -> None:
    docker_archive(tree, target.with_suffix(""))
    capture(["gzip", "-1", str(target.with_suffix(""))])


def oci_folder(tree: Path, target: Path) -> None:
    """OCI image-spec, image-layout.md."""
    blobs = target / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(content: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    tar(tree, target / "layer.tar")
    content = (target / "layer.tar").read_bytes()
    (target / "layer.tar").unlink()
    layer = blob(content, "application/vnd.oci.image.layer.v1.tar")
    config = plain_config(Architecture.AARCH64, [hashlib.sha256(content).hexdigest()], epoch=0)
    described = {
        "schemaVersion": 2,
        "config": blob(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [layer],
    }
    manifest = blob(json.dumps(described).encode(), "application/vnd.oci.image.manifest.v1+json")
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (target / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def oci_tar(tree: Path, target: Path) -> None:
    folder = target.with_suffix(".folder")
    oci_folder(tree, folder)
    capture(["tar", "--create", "--directory", str(folder), "--file", str(target), "."])
    shutil.rmtree(folder)


def squashfs(tree: Path, target: Path) -> None:
    capture(["mksquashfs", str(tree), str(target), "-noappend", "-comp", "gzip", "-quiet"])


def cpio(tree: Path, target: Path) -> None:
    """As Warewulf 4 serves images, and Warewulf 3 its VNFS."""
    with target.with_suffix("").open("wb") as file:
        file.writelines(newc(tree, target.with_suffix(".names")))
    capture(["gzip", "-1", str(target.with_suffix(""))])


FORMS: Mapping[str, Callable[[Path, Path], None]] = {
    "folder": plain_folder,
    "warewulf": warewulf_folder,
    "root.tar": tar,
    "root.tar.gz": tar,
    "root.tar.xz": tar,
    "root.tar.zst": tar,
    "root.tar.bz2": tar,
    "docker.tar": docker_archive,
    "docker.tar.gz": packed_docker_archive,
    "oci": oci_folder,
    "oci.tar": oci_tar,
    "root.squashfs": squashfs,
    "root.img.gz": cpio,
}
"""What writes each, by the name of what it writes."""
