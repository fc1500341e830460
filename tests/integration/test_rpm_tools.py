"""A host that has no dnf, no zypper and no rpm: a root of tools does what they would do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.model.architecture import Architecture
from tests.integration.conftest import STATE, CommandLine
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import root_spec
from tests.tree_comparison import differences, read_tree
from tests.unit.trees import make_elf

MANAGER = {Like.EL: "dnf", Like.SUSE: "zypper"}
ROOTS = STATE / "prefix/var/chroots"
MISSING = ("dnf", "dnf-3", "zypper", "rpm", "rpmdb", "rpmkeys", "rpm2cpio")
TOOLS = """\
name: tools
distro: debian
release: "12"
arch: x86_64
kernel: false
packages: [dnf, zypper, rpm, rpm2cpio, gnupg, ca-certificates]
outputs: [warewulf4]
"""
"""As docs/how-to/hosts-without-dnf-or-zypper.md has it."""


@pytest.fixture(scope="module")
def tools(crossbuild: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root of tools."""
    spec = tmp_path_factory.mktemp("tools") / "tools.yaml"
    spec.write_text(TOOLS)
    crossbuild("root", "create", "test-tools", "--spec", str(spec), "--replace")
    yield ROOTS / "test-tools"
    crossbuild("root", "remove", "test-tools")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which everything of this host is but what is missing."""
    folder = tmp_path_factory.mktemp("path")
    for program in Path("/usr/bin").iterdir():
        if program.name not in MISSING:
            (folder / program.name).symlink_to(program)
    return f"{folder}:/usr/sbin"


def configured(name: str, *lines: str) -> CommandLine:
    """Return the command line with a state of its own: no layer that another one made serves here."""
    state = STATE / name
    state.mkdir(exist_ok=True)
    (state / "config.yaml").write_text(
        "\n".join([f"state: {state}/state", f"prefix: {state}/prefix", *lines])
    )
    return CommandLine(state / "config.yaml")


@pytest.mark.parametrize("made", [Like.EL], indirect=True)
def test_a_root_made_by_tools_is_the_one_that_the_host_makes(
    crossbuild: CommandLine, made: MadeRepository, tools: Path, path: str, tmp_path: Path
) -> None:
    shutil.rmtree(STATE / "by-tools", ignore_errors=True)
    by_tools = configured("by-tools", f"tools: {tools}")
    spec = str(root_spec(made, tmp_path, ("nano",)))
    by_tools("root", "create", "test-made", "--spec", spec, PATH=path)
    crossbuild("root", "create", "test-made", "--spec", spec, "--replace")
    there = STATE / "by-tools/prefix/var/chroots/test-made"
    assert differences(read_tree(ROOTS / "test-made"), read_tree(there)) == {}
    crossbuild("root", "remove", "test-made")
    shutil.rmtree(STATE / "by-tools")


def test_the_plan_says_whose_package_manager_it_is(
    made: MadeRepository, tools: Path, path: str, tmp_path: Path
) -> None:
    command_line = configured("with-tools", f"tools: {tools}")
    plan = json.loads(
        command_line("plan", "--json", str(root_spec(made, tmp_path, ("nano",))), PATH=path).stdout
    )
    assert plan["tools"] == f"{MANAGER[made.like]} of {tools}, since this host has none"
    assert "nano" in {package["name"] for package in plan["packages"]["added"]}


def test_without_tools_the_package_and_the_setting_are_named(
    made: MadeRepository, path: str, tmp_path: Path
) -> None:
    done = configured("no-tools")("plan", str(root_spec(made, tmp_path, ())), PATH=path, check=False)
    assert done.status == 3
    assert "Install it:" in done.stderr
    assert "`tools` in the configuration" in " ".join(done.stderr.split())


def test_tools_for_another_architecture_are_refused(made: MadeRepository, path: str, tmp_path: Path) -> None:
    programs = tmp_path / "tools/bin"
    programs.mkdir(parents=True)
    for name in ("sh", *MISSING):
        (programs / name).write_bytes(make_elf(machine=Architecture.AARCH64.elf_machine))
    command_line = configured("no-tools", f"tools: {tmp_path}/tools")
    done = command_line("plan", str(root_spec(made, tmp_path, ())), PATH=path, check=False)
    assert (done.status, "It is for aarch64." in done.stderr) == (3, True), done.stderr
