"""The same packages three ways in one run: x86_64 natively, aarch64 emulated, aarch64 accelerated.

`python benchmarks/building.py STATE [ROUNDS]` builds the smallest root and the bootable example from nothing,
again and again in turn, with the packages already downloaded and the twin already made. It prints medians and
ratios, and compares the bytes of the last emulated and the last accelerated build. Needs root.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

CROSSBUILD = Path(sys.executable).with_name("crossbuild")
EXAMPLE = Path(__file__).parents[1] / "examples/debian12-compute.yaml"
SMALLEST = 'name: bench\ndistro: debian\nrelease: "12"\nkernel: false\n'
PACKERS = "outputs: [warewulf4]\n"
"""What is packed does not count, but a set of artifacts is wanted for the comparison."""
NATIVE, EMULATED, ACCELERATED = "x86_64, native", "aarch64, emulated", "aarch64, accelerated"
WAYS = {
    NATIVE: ("x86_64", ()),
    EMULATED: ("aarch64", ("--emulator-only",)),
    ACCELERATED: ("aarch64", ()),
}
WORK = ("twin", "base", "packages", "configuration")
"""The phases that depend on the way: fetching indexes and packing do not."""


def spec_for(text: str, arch: str) -> str:
    """Return the spec *text* for another architecture and without its own outputs."""
    kept = (line for line in text.splitlines(keepends=True) if not line.startswith(("arch:", "outputs:")))
    kernels = {"x86_64": "linux-image-cloud-amd64", "aarch64": "linux-image-cloud-arm64"}
    return "".join(kept).replace(kernels["aarch64"], kernels[arch]) + f"arch: {arch}\n{PACKERS}"


def seconds_of(way: str, text: str, state: Path) -> float:
    """Build from nothing and return the seconds of the phases that depend on the way."""
    arch, options = WAYS[way]
    shutil.rmtree(state / "state/cache/layers", ignore_errors=True)
    shutil.rmtree(state / way, ignore_errors=True)
    file = state / "bench.yaml"
    file.write_text(spec_for(text, arch))
    argv = [str(CROSSBUILD), "--config", str(state / "config.yaml"), "build", str(file), "--force"]
    subprocess.run([*argv, "--output", str(state / way), *options], check=True, capture_output=True)
    (timeline,) = (state / way).glob("*/timeline.json")
    phases = json.loads(timeline.read_text())["phases"]
    return float(sum(phase["seconds"] for phase in phases if phase["phase"] in WORK))


def measure(title: str, text: str, state: Path, rounds: int) -> None:
    """Build every way in turn, *rounds* times, and print what came out."""
    for way in (NATIVE, ACCELERATED):
        seconds_of(way, text, state)  # counts for nothing: it downloads, and makes the twin
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            found[way].append(seconds_of(way, text, state))
    medians = {way: statistics.median(seconds) for way, seconds in found.items()}
    print(f"{title}, median of {rounds}")
    for way, median in medians.items():
        ratios = f"{median / medians[NATIVE]:5.2f} x native {medians[EMULATED] / median:6.2f} x faster"
        print(f"  {way:21}{median:7.1f} s {ratios}   ({min(found[way]):.1f} to {max(found[way]):.1f})")
    sets = [next((state / way).glob("*/image.json")).parent for way in (EMULATED, ACCELERATED)]
    diff = subprocess.run(
        [str(CROSSBUILD), "artifacts", "diff", *map(str, sets)], check=False, capture_output=True
    )
    print("  the bytes are the same" if diff.returncode == 0 else "  THE BYTES DIFFER", flush=True)


def main(folder: str, rounds: str = "3") -> None:
    """Measure both package sets."""
    state = Path(folder).absolute()
    state.mkdir(parents=True, exist_ok=True)
    (state / "config.yaml").write_text(f"state: {state}/state\nprefix: {state}/prefix\n")
    measure("smallest root", SMALLEST, state, int(rounds))
    measure("bootable example", EXAMPLE.read_text(), state, int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
