"""A root of each RPM family, built emulated and accelerated: no entry of the two trees may differ."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.conftest import STATE, CommandLine, own_state
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import root_spec
from tests.tree_comparison import Found, differences, read_tree

EMULATED, ACCELERATED = "emulated", "accelerated"
OPTIONS: Mapping[str, tuple[str, ...]] = {EMULATED: ("--emulator-only",), ACCELERATED: ()}
PACKAGES: Mapping[Like, tuple[str, ...]] = {
    Like.EL: ("binutils", "chrony", "crypto-policies", "munge", "nano", "sudo"),
    Like.SUSE: ("binutils", "chrony", "munge", "nano", "sudo"),
}
"""Accounts, alternatives, capabilities, Lua, file triggers: what the base does not have of these."""
GIVEN_AWAY = (
    "/etc/munge",
    "/var/lib/munge",
    "/var/log/munge",
    "/var/lib/nfs",
    "/etc/polkit-1",
    "/var/lib/polkit-1",
)
"""Scriptlets give these to others, as munge's own do."""
MOUNTED = frozenset({"/proc", "/sys", "/dev"})
"""While the root runs, something is mounted there."""


@pytest.fixture(scope="module")
def states(made: MadeRepository) -> Iterator[Path]:
    """A state for each way with the root in it; what is shared is native tools."""
    folder = STATE / f"identity-{made.like}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    spec = root_spec(made, folder, PACKAGES[made.like])
    with ThreadPoolExecutor() as both:
        list(both.map(lambda way: build(folder / way, spec, OPTIONS[way]), OPTIONS))
    yield folder
    shutil.rmtree(folder)


def build(state: Path, spec: Path, options: tuple[str, ...]) -> None:
    own_state(state, "twins")("root", "create", "identity", "--spec", str(spec), *options)


def command_line(state: Path) -> CommandLine:
    return CommandLine(state / "config.yaml")


@pytest.fixture(scope="module")
def trees(states: Path) -> dict[str, dict[str, Found]]:
    """Both trees, by the way in which they were built."""
    return {way: read_tree(states / way / "prefix/var/chroots/identity") for way in OPTIONS}


def test_no_entry_differs(trees: dict[str, dict[str, Found]]) -> None:
    assert differences(trees[EMULATED], trees[ACCELERATED]) == {}


def test_scriptlets_left_what_they_are_meant_to_leave(trees: dict[str, dict[str, Found]]) -> None:
    """A unit, a link of alternatives, the cache of libraries, a folder, a capability."""
    found = trees[EMULATED]
    wanted = {
        "/etc/systemd/system/multi-user.target.wants/chronyd.service",
        "/etc/alternatives/editor",
        "/etc/ld.so.cache",
        "/etc/munge",
    }
    assert wanted <= found.keys()
    assert [name for name, _ in found["/usr/bin/ping"].attributes] == ["security.capability"]


def test_the_root_s_own_rpm_finds_nothing_changed_but_settings(states: Path) -> None:
    run = command_line(states / ACCELERATED)
    said = run("root", "run", "identity", "--", "rpm", "--verify", "--all", check=False).stdout
    lines = [line.split(maxsplit=1) for line in said.splitlines()]
    plain = {rest for _, rest in lines if rest.startswith("/")}
    assert {path for path in plain if path not in MOUNTED and not path.startswith(GIVEN_AWAY)} == set()
    assert any(rest == "c /etc/passwd" and "5" in flags for flags, rest in lines)


def test_programs_of_the_root_say_that_they_are_for_aarch64(states: Path) -> None:
    run = command_line(states / ACCELERATED)
    said = run("root", "run", "identity", "--", "rpm", "--query", "--queryformat", "%{ARCH} ", "bash", "rpm")
    assert said.stdout == f"{Architecture.AARCH64} " * 2


def test_this_host_s_rpm_reads_the_database_that_the_root_has(made: MadeRepository, states: Path) -> None:
    root = states / ACCELERATED / "prefix/var/chroots/identity"
    own = command_line(states / ACCELERATED)("root", "run", "identity", "--", "rpm", "-qa").stdout
    place = "/var/lib/rpm" if made.like is Like.EL else "/usr/lib/sysimage/rpm"
    here = capture(["rpm", "--root", str(root), "--dbpath", place, "--query", "--all"]).stdout
    assert sorted(here.splitlines()) == sorted(own.splitlines())
