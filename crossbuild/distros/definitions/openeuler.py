"""openEuler, of its long-term releases."""

from __future__ import annotations

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

TOP = "https://repo.openeuler.org/openEuler-$releasever"
# The second one signs what was built before 2023, such as most of 22.03.
FINGERPRINTS = (
    "8AA16BF9F2CA5244010DCA963B477C60B675600B",
    "12EA74AC9DF48D46C69CA0BED557065EB25E7F66",
)
BASE = (
    "basesystem", "bash", "chkconfig", "coreutils", "cpio", "cronie", "crontabs", "dhcp", "e2fsprogs",
    "ethtool", "filesystem", "findutils", "gawk", "glibc-all-langpacks", "grep", "grub2-common", "gzip",
    "hostname", "initscripts", "iproute", "iputils", "less", "net-tools", "nfs-utils", "openEuler-release",
    "openssh-clients", "openssh-server", "pam", "pciutils", "psmisc", "rdma-core", "rpm", "rsync", "rsyslog",
    "sed", "setup", "shadow", "strace", "tar", "tzdata", "util-linux", "vim-minimal", "wget", "which",
    "words", "zlib",
)  # fmt: skip


def _repository(id_: str, folder: str, *, enabled: bool = True) -> KnownRepository:
    return KnownRepository(
        id=id_,
        uris=(f"{TOP}/{folder}/$basearch/",),
        key=f"{TOP}/OS/$basearch/RPM-GPG-KEY-openEuler",
        fingerprints=FINGERPRINTS,
        signs_metadata=False,
        enabled=enabled,
    )


def _release(release: str, service_pack: str) -> Release:
    return Release(
        distro="openeuler",
        release=release,
        title=f"openEuler {release}",
        family=Family.DNF,
        source=RpmSource(
            releasever=f"{release}-LTS-{service_pack}",
            platform=f"platform:oe{release.replace('.', '')}",
            repositories=(
                _repository("os", "OS"),
                _repository("everything", "everything"),
                _repository("update", "update"),
                _repository("epol", "EPOL/main", enabled=False),
                _repository("epol-update", "EPOL/update/main", enabled=False),
            ),
            base=BASE,
            database=RpmDatabase(path="/var/lib/rpm", backend=DatabaseBackend.NDB),
        ),
        kernel_packages=dict.fromkeys(Architecture, "kernel"),
        initramfs=Initramfs(
            packages=("dracut", "dracut-network", "dracut-live", "curl"), name="initramfs-{version}.img"
        ),
        squashfs_compression="xz",
    )


RELEASES = (_release("22.03", "SP4"), _release("24.03", "SP2"))
