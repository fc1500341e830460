"""What releases of Enterprise Linux have in common, whoever builds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossbuild.distros.release import (
    DatabaseBackend,
    Family,
    Initramfs,
    KnownRepository,
    Release,
    RpmDatabase,
    RpmSource,
)
from crossbuild.model.architecture import Architecture

DRACUT = Initramfs(
    packages=("dracut", "dracut-network", "dracut-live", "curl"), name="initramfs-{version}.img"
)
# In 7, the package for networks has the live modules, too.
DRACUT_7 = Initramfs(packages=("dracut", "dracut-network", "curl"), name="initramfs-{version}.img")

BASE = (
    "basesystem", "bash", "chkconfig", "coreutils", "cpio", "cronie", "crontabs", "e2fsprogs", "ethtool",
    "filesystem", "findutils", "gawk", "grep", "gzip", "initscripts", "iproute", "iputils", "less",
    "net-tools", "nfs-utils", "openssh-clients", "openssh-server", "pam", "pciutils", "psmisc", "rpm",
    "rsync", "rsyslog", "sed", "setup", "shadow-utils", "strace", "systemd", "tar", "tzdata", "util-linux",
    "vim-minimal", "wget", "which", "zlib",
)  # fmt: skip
"""What wwmkchroot lists for each of them, and rpm."""


@dataclass(frozen=True, kw_only=True)
class Major:
    """What a major release brings to all that are built from it."""

    platform: str
    """Of modules, which came with 8."""
    base: tuple[str, ...]
    """Besides BASE."""
    database: RpmDatabase
    initramfs: Initramfs
    squashfs_compression: str
    builder: str
    """The repository with what only builds need: the name of its folder, and in small letters its id."""


MAJORS = {
    "7": Major(
        platform="",
        base=("dhclient", "rdate", "tcp_wrappers", "words"),
        database=RpmDatabase(path="/var/lib/rpm", backend=DatabaseBackend.BDB),
        initramfs=DRACUT_7,
        squashfs_compression="xz",
        builder="",
    ),
    "8": Major(
        platform="platform:el8",
        base=("dhcp-client", "glibc-langpack-en", "grub2-common", "hostname", "words"),
        database=RpmDatabase(path="/var/lib/rpm", backend=DatabaseBackend.BDB),
        initramfs=DRACUT,
        squashfs_compression="xz",
        builder="PowerTools",
    ),
    "9": Major(
        platform="platform:el9",
        base=("dhcp-client", "words"),
        database=RpmDatabase(path="/var/lib/rpm", backend=DatabaseBackend.SQLITE),
        initramfs=DRACUT,
        squashfs_compression="zstd",
        builder="CRB",
    ),
    # It has neither dhclient nor words any more; wwmkchroot has no list for it.
    "10": Major(
        platform="platform:el10",
        base=("NetworkManager", "glibc-langpack-en", "hostname"),
        database=RpmDatabase(path="/usr/lib/sysimage/rpm", backend=DatabaseBackend.SQLITE),
        initramfs=DRACUT,
        squashfs_compression="zstd",
        builder="CRB",
    ),
}

EPEL_FINGERPRINTS = {
    "7": "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5",
    "8": "94E279EB8D8F25B21810ADF121EA45AB2F86D6A1",
    "9": "FF8AD1344597106ECE813B918A3872BF3228467C",
    "10": "7D8D15CBFC4E62688591FB2633D98517E37ED158",
}
EPEL_FOLDERS = {
    "7": ("https://archives.fedoraproject.org/pub/archive/epel", "7/$basearch/"),
    "8": ("https://dl.fedoraproject.org/pub/epel", "8/Everything/$basearch/"),
    "9": ("https://dl.fedoraproject.org/pub/epel", "9/Everything/$basearch/"),
    "10": ("https://dl.fedoraproject.org/pub/epel", "10/Everything/$basearch/"),
}
"""Where it lies, and what of that one release is; for 7, mirrors have dropped it."""


def major_of(release: str) -> str:
    """Return `9` for the release `9.4`."""
    return release.partition(".")[0]


def is_minor(release: str) -> bool:
    """Tell whether *release* is a minor one, which moves to the vault when the next one appears."""
    return release != major_of(release)


def epel(major: str) -> KnownRepository:
    """Return Extra Packages for Enterprise Linux, for all that are built from the release *major*."""
    top, folder = EPEL_FOLDERS[major]
    return KnownRepository(
        id="epel",
        uris=(f"{top}/{folder}",),
        key=f"{top}/RPM-GPG-KEY-EPEL-{major}",
        fingerprints=(EPEL_FINGERPRINTS[major],),
        signs_metadata=False,
        enabled=False,
    )


def enterprise_linux(
    distro: str, title: str, release: str, repositories: tuple[KnownRepository, ...]
) -> Release:
    """Return *release* of *distro*, whose own *repositories* come before EPEL."""
    major = MAJORS[major_of(release)]
    return Release(
        distro=distro,
        release=release,
        title=f"{title} {release}",
        family=Family.DNF,
        source=RpmSource(
            releasever=release,
            platform=major.platform,
            repositories=(*repositories, epel(major_of(release))),
            base=(*BASE, *major.base, RELEASE_PACKAGES[distro]),
            database=major.database,
        ),
        kernel_packages=dict.fromkeys(Architecture, "kernel"),
        initramfs=major.initramfs,
        squashfs_compression=major.squashfs_compression,
    )


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """A distribution made of Red Hat's sources that publishes them by the same folders."""

    distro: str
    title: str
    top: str
    """Where the folders of its present releases are."""
    vault: str
    """Where those of its former minor releases are."""
    keys: Mapping[str, tuple[str, tuple[str, ...]]]
    """Of each major release: address and fingerprints."""

    def release(self, release: str) -> Release:
        """Return its *release*, a major or a minor one."""
        builder = self._repository(MAJORS[major_of(release)].builder, release, enabled=False)
        always = tuple(self._repository(folder, release) for folder in ("BaseOS", "AppStream", "extras"))
        return enterprise_linux(self.distro, self.title, release, (*always, builder))

    def _repository(self, folder: str, release: str, *, enabled: bool = True) -> KnownRepository:
        place = f"$releasever/{folder}/$basearch/os/"
        key, fingerprints = self.keys[major_of(release)]
        return KnownRepository(
            id=folder.lower(),
            uris=(f"{self.top}/{place}",),
            vault=f"{self.vault}/{place}" if is_minor(release) else "",
            key=key,
            fingerprints=fingerprints,
            signs_metadata=False,
            enabled=enabled,
        )


RELEASE_PACKAGES = {
    "almalinux": "almalinux-release",
    "centos": "centos-release",
    "rhel": "redhat-release",
    "rocky": "rocky-release",
}
"""What makes a root one of that distribution."""
