"""Packages and repositories that are wrong: every build from them fails, says why, and leaves no root."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import STATE, CommandLine
from tests.integration.rpm_distribution.bad import PACKAGES, SCRIPTLETS, Bad
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_images import root_spec

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


@pytest.fixture(scope="module")
def base(
    crossbuild: CommandLine, made: MadeRepository, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Builds what all have in common, once; its layer serves the rest."""
    name = f"test-base-{made.like}"
    spec = root_spec(made, tmp_path_factory.mktemp("base"), ())
    crossbuild("root", "create", name, "--spec", str(spec), "--replace")
    yield name
    crossbuild("root", "remove", name)


def refusal(
    crossbuild: CommandLine, made: MadeRepository, folder: Path, bad: Bad, packages: tuple[str, ...]
) -> tuple[int, str]:
    """Return status and message of the build of a root that wants *packages* of a wrong repository."""
    shutil.rmtree(STATE / "prefix/var/chroots/test-wrong", ignore_errors=True)
    spec = root_spec(made, folder, packages, made.wrong(bad).path)
    done = crossbuild("root", "create", "test-wrong", "--spec", str(spec), check=False)
    assert not (STATE / "prefix/var/chroots/test-wrong").exists()
    return done.status, " ".join(done.stderr.split())


@pytest.mark.parametrize("bad", SAID)
def test_what_is_wrong_is_named(
    crossbuild: CommandLine, made: MadeRepository, base: str, tmp_path: Path, bad: Bad
) -> None:
    status, said = refusal(crossbuild, made, tmp_path, bad, PACKAGES[bad])
    assert (status, SAID[bad][1] in said) == (SAID[bad][0], True), said


@pytest.mark.parametrize("package", SCRIPTLETS)
def test_a_scriptlet_that_fails_fails_the_build(
    crossbuild: CommandLine, made: MadeRepository, base: str, tmp_path: Path, package: str
) -> None:
    status, said = refusal(crossbuild, made, tmp_path, Bad.SCRIPTLETS, (package,))
    expected = (1, f"A script of the package {package}")
    if package == "fails-for-want-of-a-shell":
        # What runs a scriptlet is a dependency: nothing is installed in the first place.
        expected = (2, "nothing provides")
    assert (status, expected[1] in said) == (expected[0], True), said
