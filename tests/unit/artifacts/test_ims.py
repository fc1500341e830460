"""What IMS gets, but for the squashfs itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from crossbuild.artifacts import ims
from crossbuild.artifacts.ims import boot_parameters, manifest
from crossbuild.artifacts.squashfs import squashfs_command
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import Artifact, Digests
from tests.unit.artifacts.jobs import EPOCH, KERNEL_SPEC, make_job, no_progress
from tests.unit.specs import make_spec

FILES = tuple(
    Artifact(path=PurePosixPath("ims", name), digests=Digests(size=1, sha256="", md5=f"md5 of {name}"))
    for name in ("rootfs", "kernel", "initrd", "boot_parameters")
)


def test_manifest_has_the_exact_words_that_ims_and_bos_compare() -> None:
    made = manifest(FILES, EPOCH)
    assert (made["version"], made["created"]) == ("1.0", "2023-11-14 22:13:20")
    assert made["artifacts"] == [
        {"type": kind, "md5": f"md5 of {name}", "link": {"path": name, "etag": "", "type": "s3"}}
        for name, kind in (
            ("rootfs", "application/vnd.cray.image.rootfs.squashfs"),
            ("kernel", "application/vnd.cray.image.kernel"),
            ("initrd", "application/vnd.cray.image.initrd"),
            ("boot_parameters", "application/vnd.cray.image.parameters.boot"),
        )
    ]


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [
        pytest.param({"kernel": None}, "kernel.package", id="kernel"),
        pytest.param({"initrd": None}, "dracut", id="initrd"),
    ],
)
def test_root_that_bos_cannot_boot_is_refused_with_the_remedy(
    tmp_path: Path, missing: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ArtifactError) as caught:
        ims.pack(replace(make_job(tmp_path), **missing), tmp_path / "out", no_progress)
    assert remedy in caught.value.resolution
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "parameters"),
    [
        pytest.param("console=ttyAMA0,115200  quiet ", "console=ttyAMA0,115200 quiet", id="one line, no end"),
        pytest.param("", "", id="none"),
    ],
)
def test_boot_parameters(tmp_path: Path, args: str, parameters: str) -> None:
    spec = make_spec(kernel=replace(KERNEL_SPEC, args=args))
    assert boot_parameters(make_job(tmp_path, spec=spec)) == parameters


def test_squashfs_keeps_owners_and_carries_no_time_of_its_own() -> None:
    command = squashfs_command(Path("/root"), Path("/out"), "zstd", EPOCH)
    assert "-all-root" not in command
    assert command[command.index("-mkfs-time") + 1] == str(EPOCH)
