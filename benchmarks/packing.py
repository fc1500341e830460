"""How fast and how small the VNFS of a root becomes, against `cpio -H newc | gzip -9` and others.

Usage: python benchmarks/packing.py ROOT [SCRATCH_FOLDER]. Prints ratios of one run on one machine.
"""

from __future__ import annotations

import resource
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from crossbuild.artifacts.compression import gzipped
from crossbuild.artifacts.storage import write_blocks
from crossbuild.artifacts.warewulf3 import VnfsFormat, choose_vnfs_format
from crossbuild.host.archives import newc, pax
from crossbuild.host.command import capture, find
from crossbuild.host.survey import survey

BASELINE = "gzip -9"
OTHERS = ("gzip -9", "pigz -6", "igzip -3 -T 2")
FASTER, LARGER = 5.0, 1.10
"""What the VNFS must reach: so many times faster than the baseline, and no more than this times its size."""


def main() -> int:
    root = Path(sys.argv[1])
    # Absolute: one of the ways changes its working directory.
    scratch = Path(sys.argv[2]).absolute() if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        results = measure_all(root, Path(folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return report(results, memory)


def measure_all(root: Path, folder: Path) -> dict[str, tuple[float, int]]:
    """Return seconds and bytes of each way to make the VNFS."""
    chosen = choose_vnfs_format(survey(root)).format
    listing = folder / "names"
    results = {
        f"crossbuild, newc{' (chosen)' * (chosen is VnfsFormat.NEWC)}": measured(
            folder, lambda: pack_newc(root, listing, folder)
        ),
        f"crossbuild, pax{' (chosen)' * (chosen is VnfsFormat.PAX)}": measured(
            folder, lambda: pack_pax(root, folder)
        ),
    }
    for compressor in OTHERS:
        if find(compressor.split()[0]):
            pack = shell_packer(root, compressor, folder)
            results[f"cpio | {compressor}"] = measured(folder, pack)
    return results


def measured(folder: Path, pack: Callable[[], object]) -> tuple[float, int]:
    began = time.monotonic()
    pack()
    seconds = time.monotonic() - began
    target = folder / "vnfs"
    size = target.stat().st_size
    target.unlink()
    return seconds, size


def pack_newc(root: Path, listing: Path, folder: Path) -> None:
    write_blocks(gzipped(newc(root, listing)), folder, "vnfs")


def pack_pax(root: Path, folder: Path) -> None:
    write_blocks(gzipped(pax(root)), folder, "vnfs")


def shell_packer(root: Path, compressor: str, folder: Path) -> Callable[[], object]:
    target = shlex.quote(str(folder / "vnfs"))
    script = f"cd {shlex.quote(str(root))} && find . | cpio -o --quiet -H newc | {compressor} -c > {target}"
    return lambda: capture(["sh", "-c", script])


def report(results: dict[str, tuple[float, int]], memory: float) -> int:
    base_seconds, base_size = results[f"cpio | {BASELINE}"]
    print(f"{'':28}{'seconds':>9}{'times faster':>14}{'MB':>9}{'of its size':>13}")
    missed = []
    for name, (seconds, size) in results.items():
        faster, larger = base_seconds / seconds, size / base_size
        print(f"{name:28}{seconds:9.1f}{faster:14.1f}{size / 1e6:9.1f}{larger:13.3f}")
        if "chosen" in name and (faster < FASTER or larger > LARGER):
            missed.append(name)
    print(f"peak memory of crossbuild: {memory:.0f} MB")
    verdict = "MISSED" if missed else "reached"
    print(f"wanted: {FASTER:g} times faster, at most {LARGER:g} of its size: {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
