"""What offloading costs: an image on a warm node, against the same image on this host.

Usage, in the checkout, as root: python -m benchmarks.offloading. Both have all trees in their caches, so what
is left is the order, the way of the root back, and the waiting for each other. Prints the least of some
rounds, in turn: what others do on the machine only adds to it. Let TMPDIR be in memory: on ext4 without a
journal, making files where others were removed a minute ago takes up to ten times as long, and each round
removes the roots of the last one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.integration.node_rig import running_hosts
from tests.integration.offload_rig import Management, quick_management

ROUNDS = 3
MOST = 2.0
"""Seconds that an image may take longer on a warm node."""


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as scratch,
        running_hosts(1) as hosts,
        quick_management(Path(scratch), hosts) as server,
    ):
        server.warm(*(host.space / "crossbuild-jobs" for host in hosts))
        spec = server.spec("bench")
        timed(server, spec, hosts[0].name)
        unchanged = min(timed(server, spec, hosts[0].name) for _ in range(ROUNDS))
        pairs = [
            (timed(server, spec, "local", "--force"), timed(server, spec, hosts[0].name, "--force"))
            for _ in range(ROUNDS)
        ]
    here, there = (min(column) for column in zip(*pairs, strict=True))
    print(f"nothing to build:            {unchanged:5.2f} s")
    print(f"all trees kept, on this host: {here:5.2f} s")
    print(f"all trees kept, on a node:    {there:5.2f} s")
    print(f"offloading adds {there - here:.2f} s; at most {MOST:g} s are allowed")
    return 0 if there - here <= MOST else 1


def timed(server: Management, spec: Path, place: str, *options: str) -> float:
    began = time.monotonic()
    server.build(spec, "--on", place, *options)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
