"""The docker-archive, and what goes with it."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml

from crossbuild.artifacts import warewulf4
from crossbuild.artifacts.warewulf4 import repository_tag, setcap_arguments
from crossbuild.errors import ArtifactError
from crossbuild.formats.capability import Capabilities, encode
from crossbuild.host.digests import file_digests
from crossbuild.model.artifact import FileCapability
from tests.unit.artifacts.jobs import EPOCH, KVER, TREE, make_job, no_progress

NET_RAW = encode(Capabilities(permitted=1 << 13, inheritable=0, effective=True))


def test_archive_says_arm64_and_names_its_layer_by_what_is_in_it(tmp_path: Path) -> None:
    archive, *_ = warewulf4.pack(make_job(tmp_path), tmp_path, no_progress)
    with tarfile.open(tmp_path / archive.path) as outer:
        (manifest,) = json.loads(read(outer, "manifest.json"))
        config_bytes = read(outer, manifest["Config"])
        layer = read(outer, manifest["Layers"][0])
        assert {member.mtime for member in outer} == {EPOCH}
    config = json.loads(config_bytes)
    assert (config["architecture"], config["os"]) == ("arm64", "linux")
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert manifest["Config"] == f"{hashlib.sha256(config_bytes).hexdigest()}.json"
    assert manifest["RepoTags"] == ["node:aarch64"]


def test_layer_is_the_tree(tmp_path: Path) -> None:
    archive, *_ = warewulf4.pack(make_job(tmp_path), tmp_path, no_progress)
    with tarfile.open(tmp_path / archive.path) as outer:
        layer = outer.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer) as inner:
            assert {f"./{name}" for name in TREE} <= set(inner.getnames())


def test_digests_are_those_of_the_file_and_the_same_each_time(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    first, second = (warewulf4.pack(job, tmp_path / name, no_progress)[0] for name in ("one", "two"))
    assert first.digests == second.digests == file_digests(tmp_path / "one" / first.path)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        pytest.param("rocky9-compute", "rocky9-compute:aarch64", id="as it is"),
        pytest.param("Rocky_9..Compute-", "rocky-9-compute:aarch64", id="no reader refuses it"),
    ],
)
def test_tag_is_a_valid_reference(name: str, tag: str) -> None:
    assert repository_tag(name, "aarch64") == tag


@pytest.mark.parametrize(
    ("dracut", "tags"),
    [
        pytest.param(False, None, id="without warewulf-dracut"),
        pytest.param(True, {"IPXEMenuEntry": "dracut"}, id="with it"),
    ],
)
def test_profile_is_a_fragment_of_nodes_conf(
    tmp_path: Path, dracut: bool, tags: dict[str, str] | None
) -> None:
    files = TREE | ({"usr/lib/dracut/modules.d/90wwinit/module-setup.sh": b""} if dracut else {})
    warewulf4.pack(make_job(tmp_path, files), tmp_path, no_progress)
    text = (tmp_path / "warewulf4/profile.yaml").read_text()
    profile = yaml.safe_load(text)["nodeprofiles"]["node"]
    assert profile["image name"] == "node"
    assert profile["kernel"] == {"version": KVER, "args": ["console=ttyAMA0,115200"]}
    assert profile.get("tags") == tags
    assert "wwclient.aarch64" in text


def test_capabilities_are_given_back_by_a_script(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    odd = FileCapability(path=PurePosixPath("/opt/a b"), value=NET_RAW)
    _, _, script = warewulf4.pack(
        replace(job, survey=replace(job.survey, capabilities=(odd,))), tmp_path, no_progress
    )
    assert "\nsetcap cap_net_raw=ep '/opt/a b'\n" in (tmp_path / script.path).read_text()


def test_tree_without_capabilities_gets_no_script(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    plain = replace(job, survey=replace(job.survey, capabilities=()))
    assert [artifact.path.name for artifact in warewulf4.pack(plain, tmp_path, no_progress)] == [
        "node.tar",
        "profile.yaml",
    ]


def test_capability_of_a_user_namespace_keeps_its_owner() -> None:
    value = encode(Capabilities(permitted=1 << 13, inheritable=0, effective=False, root_id=1000))
    capability = FileCapability(path=PurePosixPath("/bin/ping"), value=value)
    assert setcap_arguments(capability) == "-n 1000 cap_net_raw=p /bin/ping"


def test_damaged_capability_is_an_error_that_names_the_file() -> None:
    with pytest.raises(ArtifactError, match="/bin/ping"):
        setcap_arguments(FileCapability(path=PurePosixPath("/bin/ping"), value=b"\x01"))


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()
