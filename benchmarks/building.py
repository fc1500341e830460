"""The same packages three ways in one run: x86_64 natively, aarch64 emulated, aarch64 accelerated.

`python benchmarks/building.py STATE [ROUNDS] [SPEC]` builds the smallest root, or SPEC, from nothing each
time, with the packages already downloaded and the twin already made. It prints medians and ratios, and
compares the bytes of the last emulated and the last accelerated build. Needs root.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

CROSSBUILD = Path(sys.executable).with_name("crossbuild")
SMALLEST = 'name: bench\ndistro: debian\nrelease: "12"\nkernel: false\noutputs: [warewulf4]\n'
WAYS = {
    "x86_64, native": ("x86_64", ()),
    "aarch64, emulated": ("aarch64", ("--emulator-only",)),
    "aarch64, accelerated": ("aarch64", ()),
}
WORK = ("base", "packages", "configuration")
"""The phases that depend on the way: fetching indexes and packing do not."""


def seconds_of(way: str, spec: str, state: Path) -> float:
    """Build from nothing and return the seconds of the phases that depend on the way."""
    arch, options = WAYS[way]
    shutil.rmtree(state / "state/cache/layers", ignore_errors=True)
    file = state / "bench.yaml"
    file.write_text(f"{spec}arch: {arch}\n")
    output = state / way.replace(", ", "-")
    argv = [str(CROSSBUILD), "--config", str(state / "config.yaml"), "build", str(file), "--force"]
    subprocess.run([*argv, "--output", str(output), *options], check=True, capture_output=True)
    (timeline,) = output.glob("*/timeline.json")
    phases = json.loads(timeline.read_text())["phases"]
    return float(sum(phase["seconds"] for phase in phases if phase["phase"] in WORK))


def main(folder: str, rounds: str = "3", spec_file: str = "") -> None:
    """Measure, interleaved, and print."""
    state = Path(folder).absolute()
    state.mkdir(parents=True, exist_ok=True)
    (state / "config.yaml").write_text(f"state: {state}/state\nprefix: {state}/prefix\n")
    text = Path(spec_file).read_text() if spec_file else SMALLEST
    spec = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("arch:"))
    for way in WAYS:
        seconds_of(way, spec, state)  # counts for nothing: it downloads
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(int(rounds)):
        for way in WAYS:
            found[way].append(seconds_of(way, spec, state))
    medians = {way: statistics.median(seconds) for way, seconds in found.items()}
    native, emulated, _ = medians.values()
    for way, seconds in medians.items():
        print(
            f"{way:22} {seconds:7.1f} s  {seconds / native:5.2f} x native  {emulated / seconds:5.2f} x faster"
        )
    sets = [next((state / way.replace(", ", "-")).glob("*/image.json")).parent for way in list(WAYS)[1:]]
    same = subprocess.run([str(CROSSBUILD), "artifacts", "diff", *map(str, sets)], check=False)
    print("the bytes are the same" if same.returncode == 0 else "THE BYTES DIFFER")


if __name__ == "__main__":
    main(*sys.argv[1:])
