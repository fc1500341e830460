"""The names of cross-sms-aarch64: its command lines and variables, on a builder of ours."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import CommandResult, capture, environment
from tests.integration.conftest import CROSSBUILD, STATE, CommandLine

NAME = "test-old-names"


class OldCommandLine:
    """Calls crossbuild as `sms-aarch64.sh`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repos = folder / "prefix/repos"

    def __call__(self, *words: str, stdin: str = "", status: int = 0, **variables: str) -> CommandResult:
        env = environment(
            {"XDG_CONFIG_HOME": str(self.folder / "config"), "docker_image_tag": NAME, **variables}
        )
        argv = [str(self.folder / "sms-aarch64.sh"), *words]
        result = capture(argv, env=env, stdin=stdin, check=False)
        assert result.status == status, result.stderr
        return result


@pytest.fixture(scope="module")
def sms(crossbuild: CommandLine, small_root: str) -> Iterator[OldCommandLine]:
    """The link that an administrator makes, and a builder that shows a local repository."""
    folder = STATE / "test-old-names"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "config/crossbuild").mkdir(parents=True)
    config = f"state: {STATE}/state\nprefix: {folder}/prefix\n"
    (folder / "config/crossbuild/config.yaml").write_text(config)
    (folder / "sms-aarch64.sh").symlink_to(CROSSBUILD)
    made = OldCommandLine(folder)
    made.repos.mkdir(parents=True)
    (made.repos / "local.repo").write_text("[local]\n")
    crossbuild("builder", "remove", NAME, check=False)
    shown = ("--mount", f"{made.repos}:/repos", "--mount", f"{made.repos}:/etc/yum.repos.d:ro")
    crossbuild("builder", "create", NAME, "--from-root", small_root, "--engine", "sandbox", *shown)
    yield made
    crossbuild("builder", "remove", NAME)
    shutil.rmtree(folder)


def test_words_are_a_command_whose_arguments_and_status_pass_through(sms: OldCommandLine) -> None:
    said = sms("sh", "-c", 'uname -m; printf "%s\\n" "$@"; exit 7', "sh", "a b", "*", status=7)
    assert said.stdout == "aarch64\na b\n*\n"


def test_without_words_it_is_a_shell(sms: OldCommandLine) -> None:
    assert "it is aarch64\n" in sms(stdin="echo it is $(uname -m)\n").stdout


def test_proxies_arrive_in_both_spellings(sms: OldCommandLine) -> None:
    said = sms(
        "sh", "-c", 'echo "$HTTP_PROXY $http_proxy"', HTTP_PROXY="http://proxy.example:3128", http_proxy=""
    )
    assert said.stdout.split() == 2 * ["http://proxy.example:3128"]


def test_local_repositories_are_where_they_used_to_be(sms: OldCommandLine) -> None:
    words = ("cat", "/repos/local.repo", "/etc/yum.repos.d/local.repo")
    said = sms(*words, YUM_REPOS_D=str(sms.repos), LOCAL_REPO=str(sms.repos))
    assert said.stdout == "[local]\n[local]\n"


def test_a_repository_that_the_builder_does_not_show_is_refused(sms: OldCommandLine) -> None:
    said = sms("true", LOCAL_REPO=str(STATE), status=2)
    assert f"--mount {STATE}:{STATE}" in " ".join(said.stderr.split())


def test_a_builder_that_is_not_there_is_named(sms: OldCommandLine) -> None:
    assert "centos8" in sms("true", docker_image_tag="centos8", status=2).stderr
