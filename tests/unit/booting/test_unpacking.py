"""Archives of a set, unpacked without trust in what they are."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from crossbuild.booting.unpacking import is_newc, layers, unpack
from crossbuild.errors import ArtifactError
from crossbuild.host.archives import newc, pax


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("node\n")
    return root


def test_both_kinds_of_a_vnfs_are_unpacked(tree: Path, tmp_path: Path) -> None:
    contents = {"newc": newc(tree, tmp_path / "names"), "pax": pax(tree)}
    for name, content in contents.items():
        archive = tmp_path / f"{name}.vnfs"
        archive.write_bytes(gzip.compress(b"".join(content)))
        assert is_newc(archive) is (name == "newc")
        assert (unpack(archive, tmp_path / name) / "etc/hostname").read_text() == "node\n"


def docker_archive(path: Path, manifest: object, **members: bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_a_later_layer_lies_above_an_earlier_one(tree: Path, tmp_path: Path) -> None:
    below = b"".join(pax(tree))
    (tree / "etc/hostname").write_text("other\n")
    above = b"".join(pax(tree))
    path = docker_archive(tmp_path / "a.tar", [{"Layers": ["one", "two"]}], one=below, two=above)
    assert (layers(path, tmp_path / "root") / "etc/hostname").read_text() == "other\n"


@pytest.mark.parametrize("manifest", [[], {}, [{"Layers": ["gone"]}], [{"Layers": 1}]])
def test_what_is_no_docker_archive_is_refused(tmp_path: Path, manifest: object) -> None:
    with pytest.raises(ArtifactError, match="no docker-archive"):
        layers(docker_archive(tmp_path / "a.tar", manifest), tmp_path / "root")


def test_what_is_no_gzip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.vnfs").write_bytes(b"no gzip")
    with pytest.raises(ArtifactError, match="cannot be unpacked"):
        unpack(tmp_path / "a.vnfs", tmp_path / "root")
