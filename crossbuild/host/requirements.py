"""The programs that crossbuild starts, what each is for, and the package that brings it.

`python3 crossbuild/host/requirements.py [PURPOSE …]` prints the packages for the operating system that runs,
on one line. It must work before anything of crossbuild is installed, so it needs the standard library of
Python 3.6 and nothing else: no annotations import, no built-in generics.
"""

import sys
from pathlib import Path
from typing import NamedTuple


class Requirement(NamedTuple):
    """A program and the packages that bring it, by family; an empty name says that the family has none."""

    program: str
    purpose: str
    """What needs it: `core` (every build), `speed` (acceleration), `user` (builds without root), `apt`,
    `dnf`, `zypper`, `rpm` (both of these), `export` (the tree for nodes), `nodes`, `boot` or `test`."""
    use: str
    debian: str
    el: str
    suse: str


EMULATOR, STATIC_QEMU = "qemu-aarch64-static", "qemu-user-static"
SYSTEM = "qemu-system-aarch64"
EXPORTFS, GANESHA, VFS = "exportfs", "ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs"
KERNEL_SERVER, SSH = "nfs-kernel-server", "openssh-clients"
BROWSER = "chromium-headless-shell"

REQUIREMENTS = (
    # program, purpose, use, then the packages: debian, el, suse
    Requirement("tar", "core", "packs images for Warewulf 4", "tar", "tar", "tar"),
    Requirement("cpio", "core", "reads and writes initramfs archives", "cpio", "cpio", "cpio"),
    Requirement("mksquashfs", "core", "packs images for IMS", "squashfs-tools", "squashfs-tools", "squashfs"),
    Requirement("depmod", "core", "resolves dependencies of kernel modules", "kmod", "kmod", "kmod"),
    Requirement("gzip", "core", "packs and unpacks kernels", "gzip", "gzip", "gzip"),
    Requirement("xz", "core", "unpacks kernel modules", "xz-utils", "xz", "xz"),
    Requirement("zstd", "core", "unpacks kernel modules", "zstd", "zstd", "zstd"),
    Requirement("unshare", "core", "makes the sandbox", "util-linux", "util-linux", "util-linux"),
    Requirement("setpriv", "core", "changes the user", "util-linux", "util-linux", "util-linux"),
    Requirement("mount", "core", "mounts file systems in the sandbox", "mount", "util-linux", "util-linux"),
    Requirement("gpgv", "core", "checks signatures", "gpgv", "gnupg2", "gpg2"),
    Requirement(EMULATOR, "core", "runs aarch64 programs", STATIC_QEMU, STATIC_QEMU, "qemu-linux-user"),
    Requirement("patchelf", "speed", "makes native twins", "patchelf", "patchelf", "patchelf"),
    Requirement("cc", "speed", "compiles crossbuild-exec", "gcc libc6-dev", "gcc", "gcc"),
    Requirement("newuidmap", "user", "maps ids for ordinary users", "uidmap", "shadow-utils", "shadow"),
    Requirement("newgidmap", "user", "maps ids for ordinary users", "uidmap", "shadow-utils", "shadow"),
    Requirement("apt-get", "apt", "installs Debian and Ubuntu packages", "apt", "apt", ""),
    Requirement("mmdebstrap", "apt", "makes Debian and Ubuntu roots", "mmdebstrap", "mmdebstrap", ""),
    Requirement("arch-test", "apt", "lets mmdebstrap find the emulation", "arch-test", "", ""),
    Requirement("dnf", "dnf", "installs packages of Enterprise Linux and openEuler", "dnf", "dnf", "dnf"),
    Requirement("zypper", "zypper", "installs openSUSE packages", "zypper", "zypper", "zypper"),
    Requirement("rpm", "rpm", "writes the package database of roots", "rpm", "rpm", "rpm"),
    Requirement("gpg", "rpm", "picks the keys that are trusted", "gnupg", "gnupg2", "gpg2"),
    Requirement(SYSTEM, "boot", "boots finished images", "qemu-system-arm", SYSTEM, "qemu-arm"),
    Requirement("ssh", "nodes", "reaches nodes", "openssh-client", "openssh-clients", "openssh-clients"),
    Requirement("ssh", "boot", "reaches booted machines", "openssh-client", SSH, SSH),
    Requirement("ip", "export", "tells this host's addresses", "iproute2", "iproute", "iproute2"),
    Requirement(EXPORTFS, "export", "exports the tree", KERNEL_SERVER, "nfs-utils", KERNEL_SERVER),
    Requirement(GANESHA, "test", "serves NFS from user space", VFS, VFS, VFS),
    Requirement("nfs-cat", "test", "reads over NFS", "libnfs-utils", "libnfs-utils", "libnfs-utils"),
    Requirement("setcap", "test", "sets file capabilities", "libcap2-bin", "libcap", "libcap-progs"),
    Requirement("sshd", "test", "plays nodes", "openssh-server", "openssh-server", "openssh-server"),
    Requirement("slurmctld", "test", "queues builds", "slurmctld slurmd slurm-client", "", ""),
    Requirement("slurmdbd", "test", "keeps accounts of Slurm", "slurmdbd", "", ""),
    Requirement("mariadbd", "test", "is slurmdbd's database", "mariadb-server-core", "", ""),
    Requirement("munged", "test", "lets Slurm trust itself", "munge", "munge", "munge"),
    Requirement("tc", "test", "slows connections down", "iproute2", "iproute-tc", "iproute2"),
    Requirement("iptables", "test", "cuts connections", "iptables", "iptables", "iptables"),
    Requirement("mkfs.ext4", "test", "makes file systems", "e2fsprogs", "e2fsprogs", "e2fsprogs"),
    Requirement("ps", "test", "lists processes", "procps", "procps-ng", "procps"),
    Requirement("dockerd", "test", "is started by tests", "docker.io", "", "docker"),
    Requirement("podman", "test", "is started by tests", "podman", "podman", "podman"),
    Requirement("catatonit", "test", "reaps in containers", "catatonit", "catatonit", "catatonit"),
    Requirement("rpmbuild", "test", "makes RPM distributions", "rpm", "rpm-build", "rpm-build"),
    Requirement("rpmsign", "test", "signs RPM packages", "rpm", "rpm-sign", "rpm-build"),
    Requirement("createrepo_c", "test", "indexes packages", "createrepo-c", "createrepo_c", "createrepo_c"),
    Requirement(BROWSER, "test", "shows reports", BROWSER, "chromium", "chromium"),
    Requirement("bsdtar", "test", "reads archives, too", "libarchive-tools", "bsdtar", "bsdtar"),
)  # fmt: skip

_FAMILIES = (
    ("debian", ("debian", "ubuntu")),
    ("el", ("rhel", "fedora", "centos", "rocky", "almalinux", "openeuler")),
    ("suse", ("suse", "opensuse", "opensuse-leap", "sles")),
)
"""`ID` and `ID_LIKE` of os-release(5)."""

INSTALLERS = {
    "debian": "apt-get install --no-install-recommends",
    "el": "dnf install",
    "suse": "zypper install",
}


OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
"""Where os-release(5) lies; the first one that is there counts."""


def read_os_release() -> "dict[str, str]":
    """Return what this host's os-release says, keys in upper case; empty where there is no such file."""
    for name in OS_RELEASE:
        try:
            return parse_os_release(Path(name).read_text(encoding="utf-8"))
        except OSError:
            continue
    return {}


def parse_os_release(text: str) -> "dict[str, str]":
    """Return what the *text* of an os-release file says."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def family_of(release: "dict[str, str]") -> str:
    """Return `debian`, `el`, `suse` or `other` for the contents of an os-release file."""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    for name in names:
        for family, members in _FAMILIES:
            if name in members:
                return family
    return "other"


def package_for(program: str, family: str) -> str:
    """Return the package that brings *program* in *family*, empty where none is known."""
    for requirement in REQUIREMENTS:
        if requirement.program == program:
            return str(requirement._asdict().get(family, ""))
    return ""


def packages(family: str, purposes: "tuple[str, ...]") -> "tuple[str, ...]":
    """Return the packages of *family* for *purposes*, each once, in the table's order."""
    names = [str(row._asdict().get(family, "")) for row in REQUIREMENTS if row.purpose in purposes]
    return tuple(dict.fromkeys(name for name in names if name))


def install_command(family: str, names: "tuple[str, ...]") -> str:
    """Return the command that installs *names*, empty where the family or they are unknown."""
    return " ".join(["sudo", INSTALLERS[family], *names]) if names and family in INSTALLERS else ""


def main(arguments: "list[str]") -> int:
    """Print the packages for the purposes in *arguments*, all of them by default; 3 for an unknown system."""
    family = family_of(read_os_release())
    purposes = tuple(arguments) or tuple(dict.fromkeys(row.purpose for row in REQUIREMENTS))
    if family == "other":
        sys.stderr.write("No package names are known for this operating system.\n")
        return 3
    sys.stdout.write(" ".join(packages(family, purposes)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
