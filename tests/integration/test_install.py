"""`make install` and `make builder`: twice the same, and nothing of others is overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.config.site import load_site
from crossbuild.host.command import CommandResult, capture, environment
from tests.integration.conftest import CHECKOUT, STATE, CommandLine


class Installation:
    """`make install` into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.bin, self.config = folder / "home", folder / "bin", folder / "etc/config.yaml"

    def make(self, *variables: str, status: int = 0) -> CommandResult:
        places = (f"install_home={self.home}", f"install_path={self.bin}", f"config_file={self.config}")
        argv = ["make", "--no-print-directory", "--directory", str(CHECKOUT), "install", *places, *variables]
        result = capture(argv, check=False, env=environment({"MAKEFLAGS": "", "MAKELEVEL": ""}))
        assert result.status == status, f"{result.stdout}\n{result.stderr}"
        return result


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    """Installed with the old names."""
    folder = STATE / "test-install"
    shutil.rmtree(folder, ignore_errors=True)
    made = Installation(folder)
    made.make("sms_ip=127.0.0.1", "old_names=yes")
    yield made
    shutil.rmtree(folder)


def test_the_commands_run_under_all_their_names(installed: Installation) -> None:
    assert capture([str(installed.bin / "crossbuild"), "--version"]).stdout.startswith("crossbuild ")
    for name in ("sms-aarch64", "sms-aarch64.sh"):
        argv = [str(installed.bin / name), "true"]
        result = capture(argv, check=False, env=environment({"docker_image_tag": "there-is-none"}))
        assert result.status == 2
        assert "there-is-none" in result.stderr


def test_the_configuration_has_the_address(installed: Installation) -> None:
    assert load_site(installed.config).variables == (("sms_ip", "127.0.0.1"),)


def test_installing_again_renews_the_program_and_leaves_the_configuration(installed: Installation) -> None:
    kept = installed.config.read_bytes()
    (entry,) = installed.home.glob("lib/python3*/site-packages/crossbuild/cli/main.py")
    entry.write_text("broken")
    assert "stays as it is" not in installed.make("sms_ip=127.0.0.1").stdout
    assert entry.read_bytes() == (CHECKOUT / "crossbuild/cli/main.py").read_bytes()
    said = installed.make("sms_ip=127.0.0.2").stdout
    assert "stays as it is" in said
    assert 'sms_ip: "127.0.0.2"' in said
    assert installed.config.read_bytes() == kept


def test_the_script_of_cross_sms_aarch64_is_not_overwritten(tmp_path: Path) -> None:
    fresh = Installation(tmp_path)
    script = fresh.bin / "sms-aarch64.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/bash\n")
    assert f"{script} is not a link" in fresh.make("sms_ip=127.0.0.1", "old_names=yes", status=2).stderr
    assert sorted(tmp_path.rglob("*")) == [fresh.bin, script]


@pytest.mark.parametrize(
    ("variable", "complaint"),
    [
        ("sms_ip=", "make install sms_ip=192.0.2.1"),
        ("sms_ip=192.0.2.1", "192.0.2.1 is not an address of this host"),
        ("sms_ip=server", "server is not an address of this host"),
    ],
)
def test_a_wrong_address_installs_nothing(variable: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in Installation(tmp_path).make(variable, status=2).stderr
    assert list(tmp_path.iterdir()) == []


def make_builder(command: str, **variables: str) -> CommandResult:
    argv = [str(CHECKOUT / "tools/builder"), *command.split()]
    return capture(argv, check=False, env=environment(variables))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "default --distro debian --release 12"),
        ({"base_os": "debian13"}, "default --distro debian --release 13"),
        ({"base_os": "ubuntu2404", "docker_image_tag": "u"}, "u --distro ubuntu --release 24.04"),
        ({"base_os": "ubuntu22.04", "docker_image_tag": "latest"}, "default --distro ubuntu --release 22.04"),
        ({"base_os": "leap15"}, "default --distro opensuse-leap --release 15"),
    ],
)
def test_base_os_becomes_distribution_and_release(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    fake = tmp_path / "crossbuild"
    fake.write_text('#!/bin/sh\n[ "$2" != show ] || exit 2\necho "$@"\n')
    fake.chmod(0o755)
    result = make_builder(str(fake), **variables)
    assert (result.status, result.stdout) == (0, f"builder create {expected}\n")


def test_a_builder_that_is_there_stays() -> None:
    result = make_builder("true")
    assert result.status == 0
    assert "The builder `default` is there already" in result.stdout


@pytest.mark.parametrize("base_os", ["fedora42", "centos8", "leap15", "debian", "12"])
def test_a_distribution_that_crossbuild_does_not_know_is_refused(
    base_os: str, crossbuild: CommandLine
) -> None:
    result = make_builder(" ".join(crossbuild.argv()), base_os=base_os, docker_image_tag="test-unknown")
    assert result.status == 2
    assert base_os.rstrip("0123456789") in result.stderr
