"""The distributions and releases that crossbuild knows, as data; a new release is a new entry."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture


class Family(enum.StrEnum):
    """Distributions that share a package manager."""

    APT = "apt"


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of one distribution."""

    distro: str
    release: str
    title: str
    family: Family
    codename: str
    keyring: str
    """Keyring that signs it where a source of this host names none, a path on this host."""
    kernel_packages: Mapping[Architecture, str]
    initramfs_packages: tuple[str, ...]
    squashfs_compression: str
    """The best of mksquashfs' compressors that the release's own kernels read."""

    def kernel_package(self, arch: Architecture) -> str:
        """Name the package that brings the newest kernel of the release."""
        return self.kernel_packages[arch]


DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
UBUNTU_KEYRING = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
DEBIAN_KERNELS = {Architecture.AARCH64: "linux-image-arm64", Architecture.X86_64: "linux-image-amd64"}
UBUNTU_KERNELS = {Architecture.AARCH64: "linux-image-generic", Architecture.X86_64: "linux-image-generic"}
# dracut, not initramfs-tools: its live module boots what IMS serves, and Warewulf 4 brings a module for it.
DRACUT = ("dracut", "dracut-network", "dracut-live", "zstd", "curl")


def _release(distro: str, release: str, codename: str) -> Release:
    kernels, keyring = (
        (DEBIAN_KERNELS, DEBIAN_KEYRING) if distro == "debian" else (UBUNTU_KERNELS, UBUNTU_KEYRING)
    )
    return Release(
        distro=distro,
        release=release,
        title=f"{distro.title()} {release}",
        family=Family.APT,
        codename=codename,
        keyring=keyring,
        kernel_packages=kernels,
        initramfs_packages=DRACUT,
        squashfs_compression="zstd",
    )


RELEASES: tuple[Release, ...] = (
    _release("debian", "11", "bullseye"),
    _release("debian", "12", "bookworm"),
    _release("debian", "13", "trixie"),
    _release("ubuntu", "22.04", "jammy"),
    _release("ubuntu", "24.04", "noble"),
)


def codenames(distro: str) -> frozenset[str]:
    """Return every codename of *distro* that crossbuild knows."""
    return frozenset(entry.codename for entry in RELEASES if entry.distro == distro)


def lookup(distro: str, release: str) -> Release:
    """Return that release; raise SpecError naming the known ones."""
    for entry in RELEASES:
        if (entry.distro, entry.release) == (distro, release):
            return entry
    known = ", ".join(f'{entry.distro} "{entry.release}"' for entry in RELEASES)
    same = [entry.release for entry in RELEASES if entry.distro == distro]
    key = "release" if same else "distro"
    raise SpecError(
        f"crossbuild does not know {distro} {release}.",
        details=f"{key}: known are {known}",
        resolution="Use one of these, with the release in quotes.",
    )
