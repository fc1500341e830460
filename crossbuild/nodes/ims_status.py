"""The state of nodes in the names and words of HPE's IMS, for programs that read those.

Keys and sentences: Cray-HPE/ims, src/server/models/remote_build_nodes.py.
"""

from __future__ import annotations

from crossbuild.model.node import NodeStatus

UNKNOWN = "Unknown"
NOT_COUNTED = -1


def ims_status(status: NodeStatus) -> dict[str, object]:
    """Return *status* as `cray ims remote-build-nodes status describe --format json` prints it."""
    facts = status.facts
    podman = facts.tool("podman") if facts else None
    absent = "Podman not installed on node." if facts else UNKNOWN
    return {
        "ableToRunJobs": status.usable,
        "nodeArch": facts.arch if facts else UNKNOWN,
        "numCurrentJobs": len(facts.jobs) if facts else NOT_COUNTED,
        "podmanStatus": f"Podman present at {podman.path}" if podman else absent,
        "sshStatus": "SSH connection established."
        if facts
        else f"Unable to connect to node. Error: {status.unreachable}",
        "xname": status.node.xname,
    }
