"""Hosts as values, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossbuild.host.binfmt import aarch64_handler
from crossbuild.host.requirements import REQUIREMENTS
from crossbuild.model.host import HostFacts, OperatingSystem, OsFamily, Tool

QEMU = "/usr/bin/qemu-aarch64-static"
OWN = aarch64_handler(QEMU, "POF")
OTHER = replace(OWN, name="qemu-aarch64", interpreter="/usr/libexec/qemu-binfmt/aarch64-binfmt-P")

BARE = HostFacts(
    machine="x86_64",
    kernel="6.1.0-25-amd64",
    system=OperatingSystem(id="debian", version="12", family=OsFamily.DEBIAN),
    systemd=True,
    root=True,
    binfmt_mounted=False,
    handlers=(),
    tools=tuple(Tool(name=row.program, path=f"/usr/bin/{row.program}") for row in REQUIREMENTS),
    engines=(),
    places=(),
)
READY = replace(BARE, binfmt_mounted=True, handlers=(OWN,))
ROOTS = Path("/opt/ohpc-aarch64/var/chroots")


def without(facts: HostFacts, *programs: str) -> HostFacts:
    """Return *facts* of a host where *programs* are not installed."""
    return replace(facts, tools=tuple(tool for tool in facts.tools if tool.name not in programs))
