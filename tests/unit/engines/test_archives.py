from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from crossbuild.engines.archives import image_file, root_image
from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture

ARM = Architecture.AARCH64


def tar(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def content_of(path: Path) -> bytes:
    return tar(path / "content.tar", {"etc/hostname": b"node\n"}).read_bytes()


def config(arch: str) -> bytes:
    return json.dumps({"architecture": arch, "os": "linux", "config": {"Env": ["A=b"]}}).encode()


def docker(folder: Path, arch: str) -> Mapping[str, bytes]:
    manifest = [{"Config": "c.json", "RepoTags": ["theirs:1"], "Layers": ["x/layer.tar"]}]
    return {
        "x/layer.tar": content_of(folder),
        "c.json": config(arch),
        "manifest.json": json.dumps(manifest).encode(),
    }


def oci(folder: Path, *architectures: str, nested: bool = False) -> Mapping[str, bytes]:
    files: dict[str, bytes] = {"oci-layout": b"{}"}

    def blob(content: bytes, **more: object) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content
        return {"digest": f"sha256:{digest}", **more}

    layer = blob(content_of(folder))
    manifests = [
        blob(
            json.dumps({"config": blob(config(arch)), "layers": [layer]}).encode(),
            platform={"architecture": arch, "os": "linux"},
        )
        for arch in architectures
    ]
    if nested:
        kind = "application/vnd.oci.image.index.v1+json"
        manifests = [blob(json.dumps({"manifests": manifests}).encode(), mediaType=kind)]
    files["index.json"] = json.dumps({"manifests": manifests}).encode()
    return files


def lay_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def loaded(path: Path) -> tuple[dict[str, object], dict[str, object], list[bytes]]:
    """Return the manifest entry, configuration and layers of what an engine would get."""
    with image_file(path, ARM) as image:
        data = b"".join(image.archive("localhost/ours:base"))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        content = {name: file.read() for name, file in files.items() if file}
    (entry,) = json.loads(content["manifest.json"])
    return entry, json.loads(content[entry["Config"]]), [content[name] for name in entry["Layers"]]


@pytest.mark.parametrize("form", ["docker", "oci tar", "oci folder", "oci of many", "oci nested"])
def test_every_format_becomes_the_same_image_under_our_name(tmp_path: Path, form: str) -> None:
    match form:
        case "docker":
            path = tar(tmp_path / "i.tar", docker(tmp_path, "arm64"))
        case "oci tar":
            path = tar(tmp_path / "i.tar", oci(tmp_path, "arm64"))
        case "oci folder":
            path = lay_out(tmp_path / "layout", oci(tmp_path, "arm64"))
        case "oci of many":
            path = tar(tmp_path / "i.tar", oci(tmp_path, "amd64", "arm64", "s390x"))
        case _:
            path = tar(tmp_path / "i.tar", oci(tmp_path, "amd64", "arm64", nested=True))
    entry, made, layers = loaded(path)
    assert entry["RepoTags"] == ["localhost/ours:base"]
    assert made == json.loads(config("arm64"))
    assert layers == [content_of(tmp_path)]


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
def test_a_compressed_archive_is_read_too(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(compress(tar(tmp_path / "i.tar", docker(tmp_path, "arm64")).read_bytes()))
    assert loaded(packed)[2] == [content_of(tmp_path)]


def test_a_tar_of_a_root_becomes_an_image_for_arm64(tmp_path: Path) -> None:
    path = tar(tmp_path / "root.tar", {"./etc/hostname": b"node\n"})
    _, made, layers = loaded(path)
    assert made["architecture"] == "arm64"
    assert layers == [path.read_bytes()]
    assert made["rootfs"] == {
        "type": "layers",
        "diff_ids": [f"sha256:{hashlib.sha256(layers[0]).hexdigest()}"],
    }


@pytest.mark.parametrize("form", ["docker", "oci"])
def test_another_architecture_is_refused_by_name(tmp_path: Path, form: str) -> None:
    files = docker(tmp_path, "amd64") if form == "docker" else oci(tmp_path, "amd64", "s390x")
    path = tar(tmp_path / "i.tar", files)
    with pytest.raises(ArtifactError) as caught, image_file(path, ARM):
        pass
    assert "amd64" in caught.value.details


@pytest.mark.parametrize("files", [{"index.json": b"not JSON"}, {"manifest.json": b"[]"}, {"x": b""}])
def test_what_is_no_image_is_told(tmp_path: Path, files: Mapping[str, bytes]) -> None:
    with (
        pytest.raises(ArtifactError, match="holds no image"),
        image_file(lay_out(tmp_path / "x", files), ARM),
    ):
        pass


def test_a_layout_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(config("arm64"))
    manifest = [{"Config": "../secret", "Layers": []}]
    folder = lay_out(tmp_path / "x", {"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ArtifactError, match="holds no image"), image_file(folder, ARM):
        pass


def test_a_file_that_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="holds no image"), image_file(tmp_path / "x", ARM):
        pass


def test_a_root_becomes_one_layer(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("node\n")
    data = b"".join(root_image(tmp_path, ARM).archive("localhost/ours:base"))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        layer = archive.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer) as inner:
            assert inner.getnames() == [".", "./etc", "./etc/hostname"]
