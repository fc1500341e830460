"""`sms-aarch64`: the ancestor's command lines and variables, in crossbuild's words."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.cli import main, sms_aarch64
from crossbuild.errors import UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, EngineKind, Mount, Origin, OriginKind

BUILDER = Builder(
    name="default",
    engine=EngineKind.SANDBOX,
    reason="",
    origin=Origin(kind=OriginKind.PACKAGES, distro="debian", release="12"),
    arch=Architecture.AARCH64,
    mounts=(Mount(source=Path("/srv/repos.d"), target=PurePosixPath("/etc/yum.repos.d"), read_only=True),),
)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """The exported tree's prefix, with a repository in it."""
    (tmp_path / "ohpc-aarch64/repos").mkdir(parents=True)
    return tmp_path / "ohpc-aarch64"


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        ([], {}, ["shell", "--builder", "default"]),
        ([], {"docker_image_tag": "centos8"}, ["shell", "--builder", "centos8"]),
        (["id"], {"docker_image_tag": "latest"}, ["run", "--builder", "default", "--", "id"]),
        (["id"], {"docker_image_tag": ""}, ["run", "--builder", "default", "--", "id"]),
        (
            ["yum", "-y", "install", "a b", "--help"],
            {},
            ["run", "--builder", "default", "--", "yum", "-y", "install", "a b", "--help"],
        ),
        (["--", "-x"], {}, ["run", "--builder", "default", "--", "--", "-x"]),
    ],
)
def test_old_words_become_new_ones(
    words: list[str], environment: dict[str, str], expected: list[str]
) -> None:
    assert sms_aarch64.translated(words, environment) == expected


def test_proxies_get_their_other_spelling_and_override_none() -> None:
    environment = {
        "HTTP_PROXY": "a",
        "http_proxy": "",
        "HTTPS_PROXY": "b",
        "https_proxy": "c",
        "NO_PROXY": "",
    }
    assert sms_aarch64.proxies(environment) == {"http_proxy": "a"}


def test_a_local_repository_below_the_prefix_is_shown_without_it(prefix: Path, tmp_path: Path) -> None:
    repos, other = prefix / "repos", tmp_path / "other"
    other.mkdir()
    environment = {"YUM_REPOS_D": str(repos), "LOCAL_REPO": str(repos)}
    mounts = sms_aarch64.wanted_mounts(environment, prefix)
    assert [(mount.source, str(mount.target)) for mount in mounts] == [
        (repos, "/etc/yum.repos.d"),
        (repos, "/repos"),
    ]
    (mount,) = sms_aarch64.wanted_mounts({"LOCAL_REPO": str(other)}, prefix)
    assert (mount.source, str(mount.target)) == (other, str(other))


@pytest.mark.parametrize("folder", ["/there/is/no/such/folder", "relative", "/etc/passwd"])
@pytest.mark.parametrize("variable", ["YUM_REPOS_D", "LOCAL_REPO"])
def test_a_folder_that_is_not_there_is_an_error_that_names_the_variable(
    variable: str, folder: str, prefix: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        sms_aarch64.wanted_mounts({variable: folder}, prefix)
    assert variable in caught.value.brief
    assert caught.value.details == folder


def test_a_builder_that_shows_the_folders_will_do() -> None:
    sms_aarch64.require_mounts(BUILDER, BUILDER.mounts)
    sms_aarch64.require_mounts(BUILDER, ())


def test_a_builder_without_the_folders_is_refused_with_the_command_for_one_that_has_them() -> None:
    repos = Mount(source=Path("/srv/my repos"), target=PurePosixPath("/repos"), read_only=False)
    with pytest.raises(UsageError) as caught:
        sms_aarch64.require_mounts(BUILDER, (*BUILDER.mounts, repos))
    assert caught.value.details == "/srv/my repos at /repos"
    flags = "--mount /srv/repos.d:/etc/yum.repos.d --mount '/srv/my repos:/repos'"
    assert f"crossbuild builder create NAME {flags}" in caught.value.resolution


@pytest.mark.parametrize("name", ["sms-aarch64", "sms-aarch64.sh", "crossbuild"])
def test_the_name_decides_whose_arguments_these_are(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"/usr/local/bin/{name}", "--version"])
    monkeypatch.setattr(sms_aarch64, "translated", lambda words, _environment: ["bild", *words])
    status = main.run()
    assert status == (0 if name == "crossbuild" else 2)
    assert ("No such command 'bild'" in capsys.readouterr().err) is (name != "crossbuild")


def test_a_missing_folder_ends_as_an_error_of_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("LOCAL_REPO", "/there/is/none")
    assert sms_aarch64.run(["id"]) == 2
    assert "LOCAL_REPO must name a folder" in capsys.readouterr().err
