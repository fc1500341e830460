"""How a node mounts the exported tree: the same mount as fstab(5), as systemd.mount(5), and for a spec."""

from __future__ import annotations

from pathlib import Path

from crossbuild.model.export import Address
from crossbuild.model.spec import MountSpec

TARGET = "/opt/ohpc/pub"
"""Where modules of OpenHPC look for everything."""
UNIT = "opt-ohpc-pub.mount"
"""systemd wants a mount unit to be named after TARGET (systemd.mount(5))."""


def mount_of(address: Address, tree: Path, *, version: int) -> MountSpec:
    """Return how a node mounts *tree* of the host *address* with that *version* of NFS, 3 or 4."""
    host = f"[{address}]" if address.version == 6 else f"{address}"
    return MountSpec(
        source=f"{host}:{tree}", target=TARGET, type="nfs", options=f"ro,nodev,nfsvers={version}"
    )


def fstab_line(mount: MountSpec) -> str:
    """Return *mount* as a line of fstab(5)."""
    return f"{mount.source} {mount.target} {mount.type} {mount.options} 0 0"


def spec_entry(mount: MountSpec) -> str:
    """Return *mount* as an entry of `mounts:` in a spec."""
    return (
        f'- {{source: "{mount.source}", target: {mount.target}, type: {mount.type}, '
        f'options: "{mount.options}"}}'
    )


def unit_text(mount: MountSpec) -> str:
    """Return *mount* as the systemd unit UNIT."""
    return "\n".join(
        [
            "[Unit]",
            "Description=Software of the cluster for aarch64",
            "",
            "[Mount]",
            f"What={mount.source}",
            f"Where={mount.target}",
            f"Type={mount.type}",
            f"Options={mount.options}",
            "",
            "[Install]",
            "WantedBy=remote-fs.target",
            "",
        ]
    )
