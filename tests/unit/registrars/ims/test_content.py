"""What IMS and BOS would not take is seen here first."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossbuild.artifacts.store import load_set
from crossbuild.errors import ArtifactError
from crossbuild.model.ims import TYPES
from crossbuild.registrars.ims.content import (
    LARGEST_MANIFEST,
    checksums,
    created,
    encoded,
    expected_checksums,
    files_of,
    manifest_faults,
    manifest_of,
)
from crossbuild.registrars.ims.images import Link
from tests.fakes.ims.sets import write_set

PREFIX = "s3://boot-images/0c2a7b9e-3f4d-4a55-9a0e-2f4f6e6c1b11/"
Entries = list[dict[str, Any]]


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    artifacts = load_set(write_set(tmp_path, rootfs=100))
    links = {name: Link(path=f"{PREFIX}{name}", etag="ab-3") for name in TYPES}
    return manifest_of(created(artifacts), files_of(artifacts), links)


def test_the_manifest_of_a_set_is_valid_and_the_same_each_time(manifest: dict[str, Any]) -> None:
    assert list(manifest_faults(manifest, PREFIX)) == []
    assert encoded(manifest, PREFIX) == encoded(copy.deepcopy(manifest), PREFIX)
    assert manifest["created"] == "2023-11-14 22:13:20"


FAULTS: dict[str, tuple[Callable[[Entries], object], str]] = {
    "no root": (lambda items: items.pop(0), "rootfs.squashfs is there 0 times"),
    "two roots": (lambda items: items.append(items[0]), "rootfs.squashfs is there 2 times"),
    "a root that only IMS takes": (
        lambda items: items[0].update(type=f"{TYPES['rootfs']}.zstd"),
        "artifacts[0].type",
    ),
    "no kernel": (lambda items: items.pop(1), "image.kernel is there 0 times"),
    "no initrd": (lambda items: items.pop(2), "image.initrd is there 0 times"),
    "no md5": (lambda items: items[0].pop("md5"), "artifacts[0].md5"),
    "an etag for md5": (lambda items: items[1].update(md5=f"{'a' * 32}-3"), "artifacts[1].md5"),
    "no link": (lambda items: items[0].pop("link"), "artifacts[0]: it has no link"),
    "no etag": (lambda items: items[0]["link"].update(etag=""), "artifacts[0].link.etag"),
    "a link of another kind": (lambda items: items[0]["link"].update(type="S3"), "artifacts[0].link.type"),
    "another image's folder": (
        lambda items: items[0]["link"].update(path="s3://b/x"),
        "artifacts[0].link.path",
    ),
    "the folder itself": (lambda items: items[0]["link"].update(path=PREFIX), "artifacts[0].link.path"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_an_entry_is_named(manifest: dict[str, Any], fault: str) -> None:
    spoil, words = FAULTS[fault]
    spoil(manifest["artifacts"])
    assert words in "\n".join(manifest_faults(manifest, PREFIX))
    with pytest.raises(ArtifactError):
        encoded(manifest, PREFIX)


@pytest.mark.parametrize(
    "manifest", [[], {}, None, "x", {"version": "1.0", "artifacts": {}}, {"version": "1.1"}]
)
def test_what_ims_takes_though_it_is_no_manifest_is_a_fault(manifest: object) -> None:
    assert list(manifest_faults(manifest, PREFIX))


def test_boot_parameters_may_be_missing(manifest: dict[str, Any]) -> None:
    manifest["artifacts"].pop(3)
    assert list(manifest_faults(manifest, PREFIX)) == []


def test_a_manifest_that_nobody_reads_whole_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError) as caught:
        encoded({**manifest, "note": "x" * LARGEST_MANIFEST}, PREFIX)
    assert str(LARGEST_MANIFEST) in caught.value.details


def test_the_sums_of_a_manifest_are_those_of_its_files(manifest: dict[str, Any], tmp_path: Path) -> None:
    files = files_of(load_set(tmp_path / "node"))
    assert checksums(manifest) == expected_checksums(files)
    assert checksums(["no manifest"]) == {}
