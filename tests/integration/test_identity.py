"""Emulated and accelerated builds, each from nothing: no entry of trees, no byte of artifacts may differ."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conftest import STATE, CommandLine, own_state
from tests.tree_comparison import Found, differences, read_tree

SPEC = Path(__file__).with_name("identity.yaml")
EMULATED, ACCELERATED = "emulated", "accelerated"
OPTIONS: Mapping[str, tuple[str, ...]] = {EMULATED: ("--emulator-only",), ACCELERATED: ()}
DIFFERS: Mapping[str, str] = {}
"""Paths that differ between two emulated runs as well, with the reason: so far there are none."""
PARTS = {
    "perl's modules in C": "/usr/lib/aarch64-linux-gnu/perl5/5.36/auto/JSON/XS/XS.so",
    "what Python compiled": "/usr/lib/python3/dist-packages/yaml/__pycache__/loader.cpython-311.pyc",
    "a unit that was enabled": "/etc/systemd/system/timers.target.wants/fstrim.timer",
    "what hwdb and triggers made": "/usr/lib/udev/hwdb.bin",
    "what was diverted": "/usr/bin/tac.diverted",
    "what programs said": "/opt/said",
}


@pytest.fixture(scope="module")
def states(small_root: str) -> Iterator[Path]:
    """A state for each way with the root in it; what is shared is downloaded packages and native tools."""
    folder = STATE / "identity"
    shutil.rmtree(folder, ignore_errors=True)
    with ThreadPoolExecutor() as both:
        list(both.map(lambda way: build(folder / way, way), OPTIONS))
    yield folder
    shutil.rmtree(folder)


def build(state: Path, way: str) -> None:
    crossbuild = own_state(state, "apt", "twins")
    crossbuild("root", "create", "identity", "--spec", str(SPEC), *OPTIONS[way])


@pytest.fixture(scope="module")
def trees(states: Path) -> dict[str, dict[str, Found]]:
    """Both trees, by the way in which they were built."""
    return {way: read_tree(states / way / "prefix/var/chroots/identity") for way in OPTIONS}


def test_no_entry_differs(trees: dict[str, dict[str, Found]]) -> None:
    found = differences(trees[EMULATED], trees[ACCELERATED])
    assert {path: aspects for path, aspects in found.items() if path not in DIFFERS} == {}


def test_what_programs_say_does_not_differ(states: Path) -> None:
    """The same as above for one file, so that a failure shows the line."""
    said = [(states / way / "prefix/var/chroots/identity/opt/said").read_text() for way in OPTIONS]
    assert said[0].splitlines() == said[1].splitlines()


@pytest.mark.parametrize("path", PARTS.values(), ids=PARTS)
def test_the_set_has_what_it_is_meant_to_have(trees: dict[str, dict[str, Found]], path: str) -> None:
    assert all(path in tree for tree in trees.values())


def test_the_set_has_a_kernel_whose_modules_are_indexed(trees: dict[str, dict[str, Found]]) -> None:
    assert any(path.endswith("/modules.dep.bin") for path in trees[EMULATED])
    assert any(path.startswith("/boot/vmlinuz-") for path in trees[EMULATED])


@pytest.mark.parametrize(("way", "native"), [(EMULATED, False), (ACCELERATED, True)])
def test_it_was_built_in_the_way_that_it_says(states: Path, way: str, native: bool) -> None:
    """A maintainer script wrote into the log which file its dpkg was started from."""
    log = (states / way / "state/logs/identity.log").read_text()
    started = [line.split(" dpkg is /")[1] for line in log.splitlines() if " dpkg is /" in line]
    assert started
    assert {line == "run/crossbuild/twin/usr/bin/dpkg" for line in started} == {native}


def test_an_emulated_build_gives_the_bytes_of_an_accelerated_one(
    crossbuild: CommandLine, states: Path, small_spec: Path, tmp_path: Path
) -> None:
    """Its base, too, was made in this way: the trees above have the same one."""
    for way, options in OPTIONS.items():
        run = CommandLine(states / way / "config.yaml")
        said = run("build", str(small_spec), *options, "--output", str(tmp_path / way), "--json").stdout
        cached = {
            event["phase"]: event["cached"]
            for event in map(json.loads, said.splitlines())
            if "cached" in event
        }
        assert (cached["base"], cached["packages"]) == (True, False)
    emulated, accelerated = (tmp_path / way / "small" for way in OPTIONS)
    result = crossbuild("artifacts", "diff", str(emulated), str(accelerated), "--json")
    assert json.loads(result.stdout)["differences"] == []
    with (emulated / "warewulf4/small.tar").open("ab") as file:
        file.write(b"x")
    assert crossbuild("artifacts", "verify", str(emulated), check=False).status == 1
