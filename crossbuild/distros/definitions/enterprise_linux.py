"""What releases of Enterprise Linux have in common, whoever builds them."""

from __future__ import annotations

from crossbuild.distros.release import DatabaseBackend, Initramfs, KnownRepository, RpmDatabase

DRACUT = Initramfs(
    packages=("dracut", "dracut-network", "dracut-live", "curl"), name="initramfs-{version}.img"
)
SQLITE = RpmDatabase(path="/var/lib/rpm", backend=DatabaseBackend.SQLITE)
"""From 9 on."""
BASE_9 = (
    "basesystem", "bash", "chkconfig", "coreutils", "cpio", "cronie", "crontabs", "dhcp-client", "e2fsprogs",
    "ethtool", "filesystem", "findutils", "gawk", "grep", "gzip", "initscripts", "iproute", "iputils", "less",
    "net-tools", "nfs-utils", "openssh-clients", "openssh-server", "pam", "pciutils", "psmisc", "rpm",
    "rsync", "rsyslog", "sed", "setup", "shadow-utils", "strace", "systemd", "tar", "tzdata", "util-linux",
    "vim-minimal", "wget", "which", "words", "zlib",
)  # fmt: skip

EPEL_FINGERPRINTS = {
    "8": "94E279EB8D8F25B21810ADF121EA45AB2F86D6A1",
    "9": "FF8AD1344597106ECE813B918A3872BF3228467C",
    "10": "7D8D15CBFC4E62688591FB2633D98517E37ED158",
}


def epel(major: str) -> KnownRepository:
    """Return Extra Packages for Enterprise Linux, for all that are built from the release *major*."""
    top = "https://dl.fedoraproject.org/pub/epel"
    return KnownRepository(
        id="epel",
        uris=(f"{top}/{major}/Everything/$basearch/",),
        key=f"{top}/RPM-GPG-KEY-EPEL-{major}",
        fingerprints=(EPEL_FINGERPRINTS[major],),
        signs_metadata=False,
        enabled=False,
    )
