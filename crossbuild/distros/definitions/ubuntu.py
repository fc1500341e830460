"""Ubuntu."""

from __future__ import annotations

from crossbuild.distros.definitions.debian import DRACUT
from crossbuild.distros.release import AptSource, Family, Release
from crossbuild.model.architecture import Architecture


def _release(release: str, codename: str) -> Release:
    return Release(
        distro="ubuntu",
        release=release,
        title=f"Ubuntu {release}",
        family=Family.APT,
        source=AptSource(codename=codename, keyring="/usr/share/keyrings/ubuntu-archive-keyring.gpg"),
        kernel_packages=dict.fromkeys(Architecture, "linux-image-generic"),
        initramfs=DRACUT,
        squashfs_compression="zstd",
    )


RELEASES = (_release("22.04", "jammy"), _release("24.04", "noble"))
