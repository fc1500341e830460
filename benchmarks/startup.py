"""What people wait for when there is nothing to do: `--help`, and a build whose set is already there.

`python benchmarks/startup.py OUTPUT SPEC [CONFIG]` wants a spec that was built into OUTPUT. Absolute
figures depend on the machine; the interpreter's own start is measured in the same run for comparison.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 7
CROSSBUILD = Path(sys.executable).with_name("crossbuild")


def median_seconds(argv: list[str]) -> float:
    """Return the median wall time of a few runs after one that counts for nothing."""
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.monotonic()
        subprocess.run(argv, check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds[1:])


def main(output: str, spec: str, *config: str) -> None:
    """Print the figures."""
    options = ["--config", config[0]] if config else []
    rows = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "crossbuild --help": [str(CROSSBUILD), "--help"],
        "build, unchanged": [str(CROSSBUILD), *options, "build", spec, "--output", output],
    }
    for name, argv in rows.items():
        print(f"{name:20} {median_seconds(argv):7.3f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
