"""Builders in Docker and Podman as users have them: they stay, are made anew, and move to other engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.engines.attachment import NOT_FOUND
from crossbuild.engines.names import base_image
from crossbuild.host.command import CommandResult, capture
from tests.integration.conftest import CommandLine
from tests.integration.engine_rig import RunningEngine

NAME, MOVED, MADE = "test-contained", "test-moved", "test-recipe"
NATIVE = "/run/crossbuild/twin/"


@pytest.fixture(scope="module")
def builder(engine: RunningEngine, crossbuild: CommandLine, small_root: str) -> Iterator[str]:
    """A builder in the engine, with a package that was installed after it was made."""
    crossbuild("builder", "create", NAME, "--engine", engine.kind.value, "--from-root", small_root)
    for words in ("update", "install --yes hello"):
        crossbuild("run", "--builder", NAME, "apt-get", *words.split())
    yield NAME
    crossbuild("builder", "remove", NAME)


def test_programs_run_natively_where_that_changes_nothing(crossbuild: CommandLine, builder: str) -> None:
    maps = crossbuild("run", "--builder", builder, "cat", "/proc/self/maps").stdout
    assert NATIVE in maps
    script = "uname -m; dpkg --print-architecture"
    assert crossbuild("run", "--builder", builder, "sh", "-c", script).stdout == "aarch64\narm64\n"


def test_a_second_run_does_without_what_the_first_one_loaded(crossbuild: CommandLine, builder: str) -> None:
    def run(*words: str) -> CommandResult:
        return crossbuild("run", "--builder", builder, *words, check=False, PYTHONPROFILEIMPORTTIME="1")

    run("true")
    result = run("printf", "%s|", "a b", "", "--help")
    assert (result.status, result.stdout, "click" in result.stderr) == (0, "a b||--help|", False)
    result = run("ls", "/none")
    assert (result.status, "/none" in result.stderr, "click" in result.stderr) == (2, True, False)
    assert run("no-such-program").status == NOT_FOUND
    assert "click" in run("dpkg", "--version").stderr


def test_what_was_installed_survives_a_restart_and_a_new_image(
    engine: RunningEngine, crossbuild: CommandLine, builder: str
) -> None:
    engine.stop()
    engine.start()
    assert crossbuild("run", "--builder", builder, "hello").stdout == "Hello, world!\n"
    crossbuild("run", "--builder", builder, "touch", "/root/by-hand")
    crossbuild("builder", "rebuild", builder)
    script = "hello; dpkg-query --show --showformat '${Status}\n' hello; ls /root"
    assert crossbuild("run", "--builder", builder, "sh", "-c", script).stdout == (
        "Hello, world!\ninstall ok installed\n"
    )
    assert NATIVE in crossbuild("run", "--builder", builder, "cat", "/proc/self/maps").stdout
    assert "rebuilding" not in engine.client("ps", "--all", "--format", "{{.Names}}")


def test_a_saved_builder_is_loaded_by_any_engine(
    engine: RunningEngine, crossbuild: CommandLine, builder: str, tmp_path: Path
) -> None:
    bundle = str(tmp_path / "contained.bundle")
    crossbuild("builder", "save", builder, bundle)
    for kind in ("sandbox", engine.kind.value):
        crossbuild("builder", "load", bundle, "--name", MOVED, "--engine", kind)
        script = "hello; mount | grep -c /opt/ohpc/pub"
        assert crossbuild("run", "--builder", MOVED, "sh", "-c", script).stdout == "Hello, world!\n1\n"
        if kind == "sandbox":
            layer = crossbuild.config.parent / "state/builders" / MOVED / "tree/layers/0"
            assert "cap_net_raw=ep" in capture(["getcap", "-r", str(layer / "usr/bin")]).stdout
        crossbuild("builder", "remove", MOVED)


def test_a_dockerfile_of_ours_makes_a_builder_of_the_site_s_image(
    engine: RunningEngine, crossbuild: CommandLine, builder: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    recipe = f"recipes: {{debian12: {{base_image: '{base_image(builder)}'}}}}"
    config.write_text(f"{crossbuild.config.read_text()}builders: {{engine: {engine.kind}, {recipe}}}\n")
    ours = CommandLine(config)
    ours("builder", "create", MADE, "--recipe", "debian12", "--emulator-only")
    try:
        assert ours("run", "--builder", MADE, "uname", "-m").stdout == "aarch64\n"
        assert f"engine: {engine.kind}" in ours("builder", "show", MADE).stdout
    finally:
        ours("builder", "remove", MADE)


def test_a_dockerfile_takes_an_engine(crossbuild: CommandLine) -> None:
    result = crossbuild("builder", "create", MADE, "--recipe", "rocky9", "--engine", "sandbox", check=False)
    assert (result.status, "--engine docker" in result.stderr) == (2, True)
