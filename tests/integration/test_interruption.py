"""`kill -9` at any moment of a build loses nothing and leaves nothing; the same command finishes the job."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossbuild.host.command import capture, environment
from tests.integration.conftest import CommandLine

PATIENCE = 60
"""Seconds until all that a killed process had must be gone, on a busy machine."""
SPEC = """\
name: victim
distro: debian
release: "12"
kernel: false
packages: [iputils-ping]
files: [{target: /etc/marker, content: "%s"}]
commands: ["echo configured > /etc/configured"]
outputs: [warewulf4]
"""

Event = dict[str, object]
Moment = Callable[[Event], bool]


def starts(phase: str) -> Moment:
    return lambda event: event["event"] == "phase-started" and event["phase"] == phase


def says(text: str) -> Moment:
    return lambda event: event["event"] == "log" and text in str(event["line"])


# In the order in which a build comes by; the cache of trees is emptied before those of the base system.
MOMENTS = [
    pytest.param(starts("sources"), True, id="before the sources are fetched"),
    pytest.param(starts("base"), True, id="as the base begins"),
    pytest.param(says("extracting archives"), True, id="while archives are unpacked"),
    pytest.param(says("Unpacking libc6"), True, id="while dpkg unpacks"),
    pytest.param(says("Setting up"), True, id="while scripts run under emulation"),
    pytest.param(starts("packages"), False, id="as the packages begin"),
    pytest.param(says("Unpacking iputils-ping"), False, id="while apt has dpkg install"),
    pytest.param(starts("configuration"), False, id="as the configuration begins"),
    pytest.param(starts("verification"), False, id="as the root is cleaned and verified"),
    pytest.param(starts("packing"), False, id="while artifacts are written"),
]


class Victim:
    """A build of its own state, so that trees may be missing from its cache."""

    def __init__(self, crossbuild: CommandLine, folder: Path, shared: Path) -> None:
        self.folder = folder
        self.output = folder / "out"
        self.spec = folder / "victim.yaml"
        config = folder / "config.yaml"
        config.write_text(f"state: {folder}/state\nprefix: {folder}/prefix\n")
        self.line = CommandLine(config)
        self.write("first")
        self._shared = shared

    def write(self, marker: str) -> None:
        """Change the spec, so that there is something to do."""
        self.spec.write_text(SPEC % marker)

    def seed(self, *, base: bool) -> None:
        """Start from the shared caches, without any tree, or with that of the base system."""
        cache = self.folder / "state/cache"
        shutil.rmtree(cache, ignore_errors=True)
        cache.parent.mkdir(exist_ok=True)
        capture(["cp", "--archive", "--link", str(self._shared), str(cache)])
        for tree in (cache / "layers").glob("*.tar.zst"):
            if not base or not tree.name.startswith("base-"):
                tree.unlink()

    def give_base(self) -> None:
        """Put the tree of the base system beside what a killed build kept, as builds of others would have."""
        layers = self.folder / "state/cache/layers"
        layers.mkdir(parents=True, exist_ok=True)
        for tree in (self._shared / "layers").glob("base-*.tar.zst"):
            with contextlib.suppress(FileExistsError):
                (layers / tree.name).hardlink_to(tree)

    def argv(self) -> list[str]:
        return self.line.argv("build", str(self.spec), "--output", str(self.output), "--json")

    def kill_at(self, moment: Moment) -> None:
        """Start the build and kill it when an event says that the moment has come."""
        with subprocess.Popen(self.argv(), stdout=subprocess.PIPE, text=True, env=environment()) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if moment(json.loads(line)):
                    process.kill()
                    return
        pytest.fail("the build ended before the moment came")

    def results(self) -> list[Path]:
        """Return what a user sees in the output folder; names with a dot are crossbuild's own."""
        paths = (path.relative_to(self.output) for path in self.output.rglob("*"))
        return sorted(path for path in paths if path.parts[0][0] != ".")

    def leftovers(self) -> list[str]:
        """Mounts and processes that speak of this build's folder."""
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        processes = capture(["ps", "-eo", "args"]).stdout.splitlines()
        return [line for line in (*mounts, *processes) if str(self.folder) in line]


@pytest.fixture(scope="module")
def victim(
    crossbuild: CommandLine, small_root: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    shared = crossbuild.config.parent / "state/cache"
    folder = crossbuild.config.parent / "victim"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield Victim(crossbuild, folder, shared)
    shutil.rmtree(folder)


def wait_until_quiet(victim: Victim) -> list[str]:
    """Return what is left once the kernel has ended what the killed process owned, or has had its time."""
    deadline = time.monotonic() + PATIENCE
    while (left := victim.leftovers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.parametrize(("moment", "from_nothing"), MOMENTS)
def test_a_killed_build_leaves_nothing_mounted_running_or_half_done(
    victim: Victim, moment: Moment, from_nothing: bool, request: pytest.FixtureRequest
) -> None:
    victim.write(request.node.name)
    victim.seed(base=not from_nothing)
    before = victim.results()
    victim.kill_at(moment)
    assert wait_until_quiet(victim) == []
    assert victim.results() == before
    # The same command again, with the caches as the killed build left them; a base made anew takes a minute.
    victim.give_base()
    capture(victim.argv())
    assert (victim.output / "victim/image.json").is_file()
    assert list((victim.folder / "state/work").glob("victim.*")) == []
    assert list((victim.output / ".crossbuild").glob("victim.*")) == []
    capture(victim.line.argv("artifacts", "verify", str(victim.output / "victim")))
    assert victim.leftovers() == []
