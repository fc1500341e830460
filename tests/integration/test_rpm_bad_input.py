"""Packages and repositories that are wrong: every build from them fails, says why, and leaves no root."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from tests.integration.conftest import STATE, CommandLine
from tests.integration.rpm_distribution.bad import PACKAGES, SCRIPTLETS, Bad
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import root_spec

ROOTS = STATE / "prefix/var/chroots"
SAID = {
    Bad.UNSIGNED: (1, "not signed by a key that may sign it"),
    Bad.FOREIGN_PACKAGE: (1, "not signed by a key that may sign it"),
    Bad.FOREIGN_METADATA: (1, "not signed by a key that may sign it"),
    Bad.HALF: (1, "A repository does not have"),
    Bad.DAMAGED: (1, "A repository does not have"),
    Bad.CONFLICT: (1, "bring different files of the same name"),
    Bad.UNRESOLVABLE: (2, "cannot be installed together"),
    Bad.OTHER_ARCHITECTURE: (2, "x86_64"),
    Bad.WRONG_PROGRAMS: (1, "/usr/bin/x86-program"),
}
"""Exit status, and what the message must name."""
ALONE = ("fails-in-pre", "fails-in-pretrans")
"""The package manager may stop at these, so that nothing else would fail after them."""
WITHOUT_SHELL = "fails-for-want-of-a-shell"
TOGETHER = tuple(package for package in SCRIPTLETS if package not in {*ALONE, WITHOUT_SHELL})
GROUPS = ((ALONE[0],), (ALONE[1],), TOGETHER)


@pytest.fixture(scope="module")
def base(
    crossbuild: CommandLine, made: MadeRepository, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Builds what all have in common, once; its layer serves the rest, whose keys it trusts already."""
    name = f"test-base-{made.like}"
    spec = root_spec(made, tmp_path_factory.mktemp("base"), (), made.wrong(Bad.SCRIPTLETS).path)
    crossbuild("root", "create", name, "--spec", str(spec), "--replace")
    yield name
    crossbuild("root", "remove", name)


def refusal(
    crossbuild: CommandLine, made: MadeRepository, folder: Path, bad: Bad, packages: tuple[str, ...]
) -> tuple[int, str]:
    """Return status and message of the build of a root that wants *packages* of a wrong repository."""
    shutil.rmtree(ROOTS / "test-wrong", ignore_errors=True)
    spec = root_spec(made, folder, packages, made.wrong(bad).path)
    done = crossbuild("root", "create", "test-wrong", "--spec", str(spec), check=False)
    assert not (ROOTS / "test-wrong").exists()
    return done.status, done.stderr


@pytest.mark.parametrize("bad", SAID)
def test_what_is_wrong_is_named(
    crossbuild: CommandLine, made: MadeRepository, base: str, tmp_path: Path, bad: Bad
) -> None:
    status, said = refusal(crossbuild, made, tmp_path, bad, PACKAGES[bad])
    assert (status, SAID[bad][1] in " ".join(said.split())) == (SAID[bad][0], True), said


@pytest.mark.parametrize("packages", GROUPS, ids=lambda packages: packages[0])
def test_each_scriptlet_that_fails_fails_the_build(
    crossbuild: CommandLine, made: MadeRepository, base: str, tmp_path: Path, packages: tuple[str, ...]
) -> None:
    """Every one is told of by a line of its own, and one such line is enough: see `installing._install`."""
    status, said = refusal(crossbuild, made, tmp_path, Bad.SCRIPTLETS, packages)
    lines = said.splitlines()
    assert status == 1
    assert any(line.startswith("Error: A script of the package fails-") for line in lines), said
    failed = [line for line in lines if "failed" in line and not line.startswith("Error:")]
    assert [name for name in packages if not any(name in line for line in failed)] == [], said


def test_a_scriptlet_whose_shell_nobody_has_cannot_be_installed(
    crossbuild: CommandLine, made: MadeRepository, base: str, tmp_path: Path
) -> None:
    status, said = refusal(crossbuild, made, tmp_path, Bad.SCRIPTLETS, (WITHOUT_SHELL,))
    assert (status, "nothing provides" in said) == (2, True), said


@pytest.fixture
def small_disk(site_config: Path) -> Iterator[Path]:
    """A disk for roots of its own, as large as need be at first."""
    disk = STATE / "small-disk"
    disk.mkdir(exist_ok=True)
    capture(["mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", str(disk)])
    try:
        yield disk
    finally:
        capture(["umount", str(disk)])


@pytest.mark.parametrize("made", [Like.EL], indirect=True)
def test_a_disk_that_becomes_full_leaves_the_former_root(
    small_disk: Path, made: MadeRepository, base: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"state: {STATE}/state\nprefix: {small_disk}\n")
    crossbuild, create = CommandLine(config), ("root", "create", "test-full", "--replace", "--spec")
    more = made.wrong(Bad.SCRIPTLETS).path
    crossbuild(*create, str(root_spec(made, tmp_path, (), more)))
    root = small_disk / "var/chroots/test-full"
    before = sorted(root.iterdir()), (root / "etc/os-release").stat().st_ino
    used = int(capture(["df", "--output=used", "--block-size=1M", str(small_disk)]).stdout.split()[-1])
    # The base fits once more, but not the packages on top of it.
    capture(["mount", "-o", f"remount,size={2 * used + 10}m", str(small_disk)])
    spec = root_spec(made, tmp_path, ("binutils", "kernel"), more)
    done = crossbuild(*create, str(spec), check=False)
    assert (done.status, done.stderr.count("Error: The disk is full.")) == (1, 1), done.stderr
    assert (sorted(root.iterdir()), (root / "etc/os-release").stat().st_ino) == before
    assert [path.name for path in root.parent.glob(".crossbuild/*") if path.is_dir()] == []
