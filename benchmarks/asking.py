"""How long `crossbuild node status` takes where some nodes drop every packet.

Usage, in the checkout, as root: python -m benchmarks.asking. The nodes are servers of OpenSSH in network
namespaces of their own. Prints the time without silent nodes, too: what is more is the waiting for them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.node_rig import running_hosts
from tests.integration.offload_rig import Management, management

NODES, SILENT = 10, 3
MOST = 6.0
"""Seconds that the answer may take with silent nodes."""


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch, running_hosts(NODES) as hosts:
        server = management(Path(scratch), hosts)
        without, usable = timed(server)
        assert usable == NODES
        for host in hosts[:SILENT]:
            host.cut()
        silent, usable = timed(server)
        assert usable == NODES - SILENT
    print(f"{NODES} nodes answer:             {without:5.2f} s")
    print(f"{SILENT} of them drop every packet: {silent:5.2f} s; at most {MOST:g} s are allowed")
    return 0 if silent <= MOST else 1


def timed(server: Management) -> tuple[float, int]:
    """Return the seconds of one call, and how many nodes can run builds according to it."""
    began = time.monotonic()
    said = server.crossbuild("node", "status", "--json", check=False)
    return time.monotonic() - began, sum(one["usable"] for one in json.loads(said.stdout))


if __name__ == "__main__":
    sys.exit(main())
