"""A compute image in the manner of Enterprise Linux: native, accelerated, and installed by an emulated dnf.

`python -m benchmarks.rpm_building STATE [ROUNDS]` builds from nothing, in turn, with the repositories of the
tests, the packages already fetched and the twin already made. It prints medians and two ratios: what an
accelerated build takes against the native one for x86_64, and how much longer the same installation takes in
an aarch64 root whose own dnf does it, all in qemu, as in a container. Needs root.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.building import PACKERS, WORK
from crossbuild.config.site import load_site
from crossbuild.config.spec import load_spec
from crossbuild.distros import catalog
from crossbuild.distros.rpm import database
from crossbuild.distros.rpm.steps import wanted
from crossbuild.host.command import capture
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.sandbox import Bind, Sandbox, SandboxMachine
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.making import make_repositories
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like
from tests.integration.rpm_images import image_spec, root_spec

CROSSBUILD = Path(sys.executable).with_name("crossbuild")
NATIVE, ACCELERATED, BY_ITSELF = "x86_64, native", "aarch64, accelerated", "aarch64, its own dnf"
ARCHES: Mapping[str, Architecture] = {NATIVE: Architecture.X86_64, ACCELERATED: Architecture.AARCH64}
SLOWER, FASTER = 1.4, 5.0
"""What is wanted: at most so many times the native build, at least so many times faster than its own dnf."""
IMAGE, SHOWN = "/srv/image", "/srv/repositories"
"""Where the emulated dnf installs, and where its root shows the repositories."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds of one build."""

    whole: float
    """Of the phases that depend on the way."""
    installation: float
    """From the first look at the repositories until all is installed, with an initramfs."""
    packages: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What every round uses."""

    state: Path
    repository: MadeRepository

    def crossbuild(self, *arguments: str) -> None:
        """Run the command with a state of its own."""
        capture([str(CROSSBUILD), "--config", str(self.state / "config.yaml"), *arguments])

    def spec(self, arch: Architecture) -> Path:
        """Write the spec of the image for *arch*; what is packed does not count."""
        path = image_spec(self.repository, self.state, arch=arch)
        path.write_text(path.read_text() + PACKERS)
        return path

    def built(self, way: str) -> Times:
        """Build the image from nothing."""
        shutil.rmtree(self.state / "state/cache/layers", ignore_errors=True)
        output = self.state / "out"
        shutil.rmtree(output, ignore_errors=True)
        self.crossbuild("build", str(self.spec(ARCHES[way])), "--force", "--output", str(output))
        (timeline,) = output.glob("*/timeline.json")
        phases = {phase["phase"]: phase for phase in json.loads(timeline.read_text())["phases"]}
        last = phases["configuration"]
        listed = json.loads(timeline.with_name("packages.json").read_text())
        return Times(
            whole=sum(phases[name]["seconds"] for name in WORK if name in phases),
            installation=last["started"] + last["seconds"] - phases["sources"]["started"],
            packages=frozenset(package["name"] for package in listed),
        )

    def tools(self) -> Path:
        """Make the aarch64 root that has a dnf of its own."""
        spec = root_spec(self.repository, self.state, ("dnf",))
        self.crossbuild("root", "create", "tools", "--spec", str(spec), "--replace")
        return self.state / "prefix/var/chroots/tools"

    def installed_by_itself(self, tools: Path) -> Times:
        """Install the same packages with the dnf in *tools*, everything in qemu."""
        image = tools / IMAGE[1:]
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir()
        shown = Bind(source=self.repository.key.parent, target=tools / SHOWN[1:], read_only=True)
        (tools / "etc/dnf-bench.conf").write_text(self._dnf_conf())
        machine = SandboxMachine(
            sandbox=Sandbox(root=tools, pivot=True, binds=(shown,), network=False),
            env=environment_of_builds(),
        )
        lines: list[str] = []
        began = time.monotonic()
        machine.run(self._dnf(), on_line=lines.append)
        seconds = time.monotonic() - began
        machine.run(["rpm", f"--root={IMAGE}", *database.QUERY[1:]], on_line=lines.append)
        names = frozenset(package.name for package in database.parse(lines))
        # Of the kernel's scriptlets, which call dracut; crossbuild makes it in the configuration.
        if not list(image.glob("boot/initramfs-*")):
            raise SystemExit("The kernel's scriptlets made no initramfs.")
        return Times(whole=seconds, installation=seconds, packages=names)

    def _dnf_conf(self) -> str:
        repository = f"file://{SHOWN}/{self.repository.like}/{Architecture.AARCH64}"
        return (
            "[main]\nreposdir=/dev/null\ninstall_weak_deps=0\nbest=1\nkeepcache=1\n"
            f"[el]\nname=el\nbaseurl={repository}\ngpgkey=file://{SHOWN}/{self.repository.key.name}\n"
            "gpgcheck=1\nrepo_gpgcheck=1\n"
        )

    def _dnf(self) -> list[str]:
        spec = load_spec(self.spec(Architecture.AARCH64), load_site(self.state / "config.yaml"))
        release = catalog.lookup(spec.distro, spec.release)
        return [
            "dnf", "--config=/etc/dnf-bench.conf", f"--installroot={IMAGE}",
            f"--releasever={release.rpm.releasever}", "--assumeyes", "install",
            *dict.fromkeys((*release.rpm.base, *wanted(spec, release))),
        ]  # fmt: skip


def measure(bench: Bench, rounds: int) -> bool:
    """Build every way in turn, *rounds* times; print what came out and say whether it is as wanted."""
    for way in ARCHES:
        bench.built(way)  # counts for nothing: it makes the twin, and files are read for the first time
    tools = bench.tools()
    found: dict[str, list[Times]] = {way: [] for way in (*ARCHES, BY_ITSELF)}
    for _ in range(rounds):
        for way in ARCHES:
            found[way].append(bench.built(way))
        found[BY_ITSELF].append(bench.installed_by_itself(tools))
    if found[ACCELERATED][0].packages != found[BY_ITSELF][0].packages:
        different = found[ACCELERATED][0].packages ^ found[BY_ITSELF][0].packages
        raise SystemExit(f"Not the same packages: {', '.join(sorted(different))}")
    whole = {way: statistics.median(one.whole for one in found[way]) for way in found}
    installation = {way: statistics.median(one.installation for one in found[way]) for way in found}
    print(f"EL-like compute image, {len(found[NATIVE][0].packages)} packages, median of {rounds}")
    for way in ARCHES:
        spread = sorted(one.whole for one in found[way])
        print(f"  whole build     {way:22}{whole[way]:7.1f} s   ({spread[0]:.1f} to {spread[-1]:.1f})")
    for way in (ACCELERATED, BY_ITSELF):
        spread = sorted(one.installation for one in found[way])
        print(f"  installation    {way:22}{installation[way]:7.1f} s   ({spread[0]:.1f} to {spread[-1]:.1f})")
    slower = whole[ACCELERATED] / whole[NATIVE]
    faster = installation[BY_ITSELF] / installation[ACCELERATED]
    reached = slower <= SLOWER and faster >= FASTER
    print(f"  {slower:.2f} x native, wanted: at most {SLOWER}")
    print(f"  {faster:.1f} x faster than its own dnf, wanted: at least {FASTER}")
    print("  reached" if reached else "  NOT REACHED", flush=True)
    return reached


def main(folder: str, rounds: str = "3") -> None:
    """Measure with a state below *folder*."""
    state = Path(folder).absolute()
    state.mkdir(parents=True, exist_ok=True)
    (state / "config.yaml").write_text(f"state: {state}/state\nprefix: {state}/prefix\n")
    shared = state.parent / "shared"
    shared.mkdir(exist_ok=True)
    wanted_one = (Like.EL, Architecture.AARCH64)
    repository = next(made for made in make_repositories(shared) if (made.like, made.arch) == wanted_one)
    measure(Bench(state=state, repository=repository), int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
