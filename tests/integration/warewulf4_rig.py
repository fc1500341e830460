"""A host with a Warewulf 4 that tests/fakes/wwctl.py plays, and with an iPXE for arm64."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from crossbuild.host.command import CommandResult
from tests.documents import CHECKOUT
from tests.integration.conftest import CommandLine
from tests.unit.artifacts.kernels import ARM64_IMAGE

WWCTL = """\
#!/bin/sh
export FAKE_WAREWULF4={prefix}
exec {python} -I {checkout}/tests/fakes/wwctl.py "$@"
"""

CONFIGURATION = """\
ipaddr: 192.0.2.1
tftp:
  tftproot: {prefix}/tftp
  ipxe: {{"00:09": x86.efi, "00:0B": arm64-efi/snponly.efi}}
paths:
  ipxesource: {prefix}/ipxe
  wwchrootdir: {prefix}/var/chroots
  wwprovisiondir: {prefix}/var/provision
"""


class Warewulf4Host:
    """The program, its files, and a command line that finds them."""

    def __init__(self, prefix: Path, crossbuild: CommandLine, *, version: str = "4.6.4") -> None:
        self.prefix, self._crossbuild = prefix, crossbuild
        for name, content in (
            ("version", version.encode()),
            ("etc/warewulf/warewulf.conf", CONFIGURATION.format(prefix=prefix).encode()),
            ("etc/warewulf/nodes.conf", b"nodeprofiles: {default: {}}\nnodes: {}\n"),
            ("ipxe/arm64-efi/snponly.efi", ARM64_IMAGE),
            ("tftp/warewulf/snponly.efi", ARM64_IMAGE),
            ("bin/wwctl", WWCTL.format(prefix=prefix, python=sys.executable, checkout=CHECKOUT).encode()),
        ):
            (prefix / name).parent.mkdir(parents=True, exist_ok=True)
            (prefix / name).write_bytes(content)
        (prefix / "bin/wwctl").chmod(0o755)
        for overlay in ("wwinit", "wwclient"):
            (prefix / "var/overlays" / overlay).mkdir(parents=True)
        (prefix / "var/chroots").mkdir()

    def __call__(self, *arguments: str | Path, check: bool = False) -> CommandResult:
        """Run `crossbuild register` on this host."""
        path = f"{self.prefix / 'bin'}:/usr/bin:/bin"
        return self._crossbuild("register", *map(str, arguments), check=check, PATH=path)

    def read(self) -> dict[str, Any]:
        """Return all of nodes.conf."""
        found: dict[str, Any] = yaml.safe_load((self.prefix / "etc/warewulf/nodes.conf").read_text())
        return found

    def add_node(self, name: str, **values: object) -> None:
        """Make a node, as an administrator would have done before."""
        document = self.read()
        document["nodes"][name] = {"profiles": ["default"], **values}
        (self.prefix / "etc/warewulf/nodes.conf").write_text(yaml.safe_dump(document))

    def add_overlay(self, name: str) -> None:
        """Make an overlay, as a later Warewulf brings it."""
        (self.prefix / "var/overlays" / name).mkdir()

    def rootfs(self, name: str) -> Path:
        """Return the tree of an image."""
        return self.prefix / "var/chroots" / name / "rootfs"

    def images(self) -> list[str]:
        """Return the names of all images."""
        return sorted(path.name for path in (self.prefix / "var/chroots").iterdir())

    def let(self, fault: str) -> Path:
        """Let the program misbehave as the file named *fault* says, until that file is removed."""
        path = self.prefix / fault
        path.touch()
        return path

    def snapshot(self) -> dict[str, object]:
        """Return all that Warewulf keeps: what must be as before after a failure."""
        files = (path for path in (self.prefix / "var").rglob("*") if path.is_file())
        found = {str(path.relative_to(self.prefix)): path.read_bytes() for path in files}
        return {**found, "images": self.images(), "nodes": self.read()}
