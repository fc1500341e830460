"""A bundle gives back what was put into it, and what is wrong with one is said in words."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.builders import bundles
from crossbuild.errors import ArtifactError, StorageError, UsageError
from tests.unit.builders.records import BUILDER

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def members(tmp_path: Path) -> Mapping[str, Path]:
    file = tmp_path / "member"
    file.write_bytes(CONTENT)
    return {bundles.FILES: file}


@pytest.fixture
def path(tmp_path: Path, members: Mapping[str, Path]) -> Path:
    path = tmp_path / "one.bundle"
    bundles.write(path, BUILDER, members, 7)
    return path


def test_what_was_written_is_read(path: Path, tmp_path: Path) -> None:
    bundle = bundles.read(path)
    assert (bundle.builder, bundle.twin_format) == (BUILDER, 7)
    bundles.extract(bundle, bundles.FILES, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_only_the_owner_reads_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_member_is_told_apart_and_named(path: Path, tmp_path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(tarfile.BLOCKSIZE + 1000)
        file.write(b"damage")
    with pytest.raises(ArtifactError) as caught:
        bundles.extract(bundles.read(path), bundles.FILES, tmp_path / "copy")
    assert bundles.FILES in caught.value.details


@pytest.mark.parametrize("size", [0, 100, tarfile.BLOCKSIZE, len(CONTENT)])
def test_a_bundle_that_was_cut_off_is_refused(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
    with pytest.raises(ArtifactError, match="no bundle that crossbuild can read"):
        bundles.read(path)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"format": 1}', b"\xff", b"7", b"[" * 100_000])
def test_a_document_that_is_none_is_refused(tmp_path: Path, document: bytes) -> None:
    path = tmp_path / "odd"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(bundles.DOCUMENT)
        member.size = len(document)
        archive.addfile(member, io.BytesIO(document))
    with pytest.raises(ArtifactError, match="no bundle that crossbuild can read"):
        bundles.read(path)


def test_another_format_names_the_version_that_wrote_it(tmp_path: Path, members: Mapping[str, Path]) -> None:
    path = tmp_path / "later"
    content = json.dumps({"format": 99, "crossbuild": "7.0"}).encode()
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(bundles.DOCUMENT)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(ArtifactError) as caught:
        bundles.read(path)
    assert "7.0" in caught.value.details


def test_nothing_half_stays_where_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        bundles.write(tmp_path / "two", BUILDER, {bundles.FILES: tmp_path / "missing"}, 0)
    assert not list(tmp_path.glob("*two*"))


def test_a_name_that_is_taken_is_refused(path: Path) -> None:
    with pytest.raises(UsageError):
        bundles.require_place(path)


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(
    path: Path, members: Mapping[str, Path], tmp_path: Path
) -> None:
    before = path.read_bytes()
    with pytest.raises(UsageError):
        bundles.write(path, BUILDER, members, 0)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir() if "bundle" in found.name] == [path.name]


def test_a_folder_that_is_not_there_is_told_before_anything_is_packed(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        bundles.require_place(tmp_path / "none/x.bundle")


def test_a_record_that_shows_folders_where_none_can_be_is_refused(
    tmp_path: Path, members: Mapping[str, Path]
) -> None:
    outside = replace(BUILDER.mounts[0], target=PurePosixPath("/../../outside"))
    bundles.write(tmp_path / "odd", replace(BUILDER, mounts=(outside,)), members, 0)
    with pytest.raises(ArtifactError, match="no bundle that crossbuild can read"):
        bundles.read(tmp_path / "odd")
