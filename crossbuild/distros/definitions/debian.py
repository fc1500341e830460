"""Debian."""

from __future__ import annotations

from crossbuild.distros.release import AptSource, Family, Initramfs, Release
from crossbuild.model.architecture import Architecture

# dracut, not initramfs-tools: its live module boots what IMS serves, and Warewulf 4 brings a module for it.
DRACUT = Initramfs(
    packages=("dracut", "dracut-network", "dracut-live", "zstd", "curl"), name="initrd.img-{version}"
)


def _release(release: str, codename: str) -> Release:
    return Release(
        distro="debian",
        release=release,
        title=f"Debian {release}",
        family=Family.APT,
        source=AptSource(codename=codename, keyring="/usr/share/keyrings/debian-archive-keyring.gpg"),
        kernel_packages={
            Architecture.AARCH64: "linux-image-arm64",
            Architecture.X86_64: "linux-image-amd64",
        },
        initramfs=DRACUT,
        squashfs_compression="zstd",
    )


RELEASES = (_release("11", "bullseye"), _release("12", "bookworm"), _release("13", "trixie"))
