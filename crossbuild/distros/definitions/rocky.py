"""Rocky Linux."""

from __future__ import annotations

from crossbuild.distros.definitions.enterprise_linux import BASE_9, DRACUT, SQLITE, epel
from crossbuild.distros.release import Family, KnownRepository, Release, RpmSource
from crossbuild.model.architecture import Architecture

TOP = "https://dl.rockylinux.org"
FINGERPRINTS = {"9": "21CB256AE16FC54C6E652949702D426D350D275D"}


def _repository(id_: str, folder: str, release: str, *, enabled: bool) -> KnownRepository:
    major = release.partition(".")[0]
    return KnownRepository(
        id=id_,
        uris=(f"{TOP}/pub/rocky/$releasever/{folder}/$basearch/os/",),
        vault=f"{TOP}/vault/rocky/$releasever/{folder}/$basearch/os/",
        key=f"{TOP}/pub/rocky/RPM-GPG-KEY-Rocky-{major}",
        fingerprints=(FINGERPRINTS[major],),
        signs_metadata=False,
        enabled=enabled,
    )


def _release(release: str) -> Release:
    major = release.partition(".")[0]
    return Release(
        distro="rocky",
        release=release,
        title=f"Rocky Linux {release}",
        family=Family.DNF,
        source=RpmSource(
            releasever=release,
            platform=f"platform:el{major}",
            repositories=(
                _repository("baseos", "BaseOS", release, enabled=True),
                _repository("appstream", "AppStream", release, enabled=True),
                _repository("extras", "extras", release, enabled=True),
                _repository("crb", "CRB", release, enabled=False),
                epel(major),
            ),
            base=(*BASE_9, "rocky-release"),
            database=SQLITE,
        ),
        kernel_packages=dict.fromkeys(Architecture, "kernel"),
        initramfs=DRACUT,
        squashfs_compression="zstd",
    )


RELEASES = (_release("9"),)
