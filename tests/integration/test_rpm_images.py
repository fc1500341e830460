"""Compute images of both RPM families: built natively by dnf and zypper, and what they hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.builders.unpacking import unpack
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import STATE, CommandLine
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import KINDS, image_spec, root_spec

ROOTS = STATE / "prefix/var/chroots"


@pytest.fixture(scope="module")
def spec(made: MadeRepository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spec of its compute image."""
    return image_spec(made, tmp_path_factory.mktemp("rpm-specs"))


@pytest.fixture(scope="module")
def image(crossbuild: CommandLine, spec: Path) -> Path:
    """The artifact set, built once."""
    output = STATE / "out-rpm"
    crossbuild("build", str(spec), "--output", str(output))
    return next(output.glob(f"{spec.stem.split('-')[0]}-compute"))


@pytest.fixture(scope="module")
def root(crossbuild: CommandLine, image: Path) -> Iterator[Path]:
    """What Warewulf 4 would make of it, as a root to enter."""
    path = ROOTS / f"{image.name}-root"
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unpack(image / f"warewulf4/{image.name}.tar", path, Architecture.AARCH64)
    yield path
    crossbuild("root", "remove", path.name)


def test_the_set_is_whole_and_every_source_was_verified(crossbuild: CommandLine, image: Path) -> None:
    record = json.loads((image / "image.json").read_text())
    assert record["arch"] == "aarch64"
    assert record["unverified_repositories"] == []
    assert record["kernel"]["version"]
    assert {path.name for path in image.iterdir()} >= {"warewulf3", "warewulf4", "ims", "packages.json"}
    crossbuild("artifacts", "verify", str(image))


@pytest.mark.usefixtures("image")
def test_no_agent_of_gpg_is_left_on_the_host() -> None:
    processes = capture(["ps", "-eo", "args"]).stdout.splitlines()
    assert [line for line in processes if line.startswith("gpg-agent ") and str(STATE) in line] == []


def test_the_database_is_where_the_distribution_has_it(made: MadeRepository, root: Path) -> None:
    place = root / KINDS[made.like].database[1:]
    assert place.is_file()
    # What rpm puts beside it whenever it looks is not part of an image.
    assert [path.name for path in place.parent.iterdir()] == ["rpmdb.sqlite"]
    # Neither this host's place nor one of the other distribution.
    assert not (root / "root/.rpmdb").exists()


def test_packages_are_listed_as_the_root_s_own_rpm_lists_them(
    crossbuild: CommandLine, image: Path, root: Path
) -> None:
    said = crossbuild("root", "run", root.name, "--", "rpm", "-qa", "--queryformat", r"%{NAME} ").stdout
    listed = {package["name"] for package in json.loads((image / "packages.json").read_text())}
    assert listed == {name for name in said.split() if name != "gpg-pubkey"}
    assert {"bash", "glibc", "filesystem", "munge"} <= listed


def test_what_fills_the_image_is_known_by_package(image: Path) -> None:
    contents = json.loads((image / "contents.json").read_text())
    installed = {package["name"] for package in json.loads((image / "packages.json").read_text())}
    sizes = {package["name"]: package["size"] for package in contents["packages"]}
    assert set(sizes) <= installed
    assert sizes["bash"] > 100_000
    assert sum(sizes.values()) + contents["unowned"]["size"] == contents["size"]
    assert contents["unowned"]["size"] < contents["size"] / 3


def test_nothing_of_the_package_manager_s_own_stays(root: Path) -> None:
    left = [*root.glob("var/cache/dnf/*"), *root.glob("var/lib/dnf/*"), *root.glob("var/cache/zypp/*")]
    assert [path for path in left if path.is_file()] == []
    assert not (root / "run/crossbuild-rpm").exists()
    assert not list(root.glob("etc/kernel/install.d/*dracut*"))


def test_services_are_enabled_and_their_accounts_are_there(made: MadeRepository, root: Path) -> None:
    wanted = {path.name for path in root.glob("etc/systemd/system/multi-user.target.wants/*")}
    assert {f"{unit}.service" for unit in KINDS[made.like].units} <= wanted
    accounts = {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
    assert {"munge", "sshd"} <= accounts


@pytest.mark.parametrize("made", [Like.EL], indirect=True)
def test_two_builds_give_the_same_bytes(crossbuild: CommandLine, spec: Path, image: Path) -> None:
    again = STATE / "out-rpm-again"
    shutil.rmtree(again, ignore_errors=True)
    crossbuild("build", str(spec), "--force", "--output", str(again))
    done = capture([*crossbuild.argv("artifacts", "diff"), str(image), str(again / image.name)], check=False)
    assert (done.status, done.stdout.strip()) == (0, done.stdout.strip())
    shutil.rmtree(again)


def test_packages_are_added_to_an_image_that_is_the_base_of_a_spec(
    crossbuild: CommandLine, made: MadeRepository, image: Path, root: Path, tmp_path: Path
) -> None:
    """It is the docker-archive; its database has the form of its own rpm, which the host's need not write."""
    spec = root_spec(made, tmp_path, ("nano",))
    spec.write_text(f"{spec.read_text()}base: {image}/warewulf4/{image.name}.tar\n")
    crossbuild("root", "create", "test-added", "--spec", str(spec), "--replace")
    query = ("--", "rpm", "--query", "--all", r"--queryformat=%{NAME}\n")
    before, after = (
        set(crossbuild("root", "run", name, *query).stdout.split()) for name in (root.name, "test-added")
    )
    assert "nano" in after - before
    assert before <= after
    crossbuild("root", "run", "test-added", "--", "rpm", "--verify", "nano")
    crossbuild("root", "remove", "test-added")
