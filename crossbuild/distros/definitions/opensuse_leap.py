"""openSUSE Leap."""

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

TOP = "https://download.opensuse.org"
PROJECT = "AD485664E901B867051AB15F35A2F86E29B700A4"
PROJECT_2008 = "22C07BA534178CD02EFE22AAB88B2FD43DBDC284"
ENTERPRISE = "FEAB502539D846DB2C0961CA70AF9E8139DB7C82"
ENTERPRISE_4096 = "7F009157B127B994D5CFBE76F74F09BC3FA1D6CE"
BACKPORTS = "F044C2C507A1262B538AAADD8A49EB0325DB7AE0"
BASE = (
    "aaa_base", "bash", "coreutils", "cpio", "cron", "dhcp-client", "distribution-release", "e2fsprogs",
    "ethtool", "filesystem", "findutils", "gawk", "grep", "gzip", "iproute2", "iputils", "kmod", "less",
    "ncurses-utils", "net-tools", "netcfg", "nfs-client", "openssh", "pam", "pciutils", "procps", "psmisc",
    "rpcbind", "rpm", "rsync", "rsyslog", "sed", "shadow", "strace", "systemd", "systemd-sysvinit", "tar",
    "timezone", "udev", "util-linux", "vim", "wget", "zypper",
)  # fmt: skip


def _repository(id_: str, folder: str, *, enabled: bool = True) -> KnownRepository:
    return KnownRepository(
        id=id_,
        uris=(f"{TOP}/{folder}/",),
        key=f"{TOP}/{folder}/repodata/repomd.xml.key",
        fingerprints=(PROJECT, PROJECT_2008, ENTERPRISE, ENTERPRISE_4096, BACKPORTS),
        signs_metadata=True,
        enabled=enabled,
    )


def _release(release: str) -> Release:
    return Release(
        distro="opensuse-leap",
        release=release,
        title=f"openSUSE Leap {release}",
        family=Family.ZYPPER,
        source=RpmSource(
            releasever=release,
            platform="",
            repositories=(
                _repository("oss", "distribution/leap/$releasever/repo/oss"),
                _repository("update-oss", "update/leap/$releasever/oss"),
                _repository("update-sle", "update/leap/$releasever/sle"),
                _repository("update-backports", "update/leap/$releasever/backports"),
                _repository("non-oss", "distribution/leap/$releasever/repo/non-oss", enabled=False),
            ),
            base=BASE,
            database=RpmDatabase(path="/usr/lib/sysimage/rpm", backend=DatabaseBackend.NDB),
        ),
        kernel_packages=dict.fromkeys(Architecture, "kernel-default"),
        initramfs=Initramfs(packages=("dracut", "curl"), name="initrd-{version}"),
        squashfs_compression="zstd",
    )


RELEASES = (_release("15.5"), _release("15.6"))
