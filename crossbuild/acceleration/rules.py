"""Which programs of which packages may run as their twins, and why others may not: data by package.

A program may be replaced if what it writes and answers does not depend on the architecture that it was
compiled for. Everything else stays in qemu, and whatever is not listed here does too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from crossbuild.acceleration.table import Setting
from crossbuild.model.architecture import Architecture

TWIN = "/run/crossbuild/twin"
"""Where a sandbox shows the twin."""


APT_CONFIGURATION = "apt.conf"
"""File of the twin that tells a native apt the root's architecture; apt reads it before all others."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """When a program may be replaced; words as in `crossbuild.acceleration.table.Rule`."""

    first: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    absent: tuple[PurePosixPath, ...] = ()
    """But a folder may be there that the twin has, too: it holds the same for its own architecture."""


@dataclass(frozen=True, kw_only=True)
class PackageRules:
    """The programs of one package: those in *only*, or without that all but those in *never*."""

    only: tuple[str, ...] = ()
    never: Mapping[str, str] = field(default_factory=dict)
    """File name to the reason why it stays in qemu."""
    when: Mapping[str, Condition] = field(default_factory=dict)
    """File name to the condition under which it may be replaced."""
    named: tuple[str, ...] = ()
    """File names of programs that hold Debian's name of their own architecture, as a word by itself: in the
    twin it is replaced by the root's."""

    def allows(self, name: str) -> bool:
        """Tell whether the program of that file name may be replaced at all."""
        return name in self.only if self.only else name not in self.never


SHELL = Condition(none=("--version", "--help"), sets=("HOSTTYPE", "MACHTYPE", "OSTYPE"))
"""bash tells these from its own build unless they are set, and prints the build in `--version`."""
PERL_MODULES = tuple(
    PurePosixPath(folder, Architecture.AARCH64.multiarch, name)
    for folder, name in (("/usr/lib", "perl"), ("/usr/lib", "perl5"), ("/usr/local/lib", "perl"))
)
"""Where modules in C lie, besides those of perl-base."""
PERL = Condition(none=("-V*", "-v*"), owns=("PERL5LIB",), absent=PERL_MODULES)
"""Its modules in C are found by compiled-in path, in front of which PERL5LIB goes. Those that came into the
root after the twin was made are there for the root's architecture only."""
APT_OF_THE_ROOT = Condition(none=("--version", "-v"), owns=("APT_CONFIG",))
"""Its architecture is a setting, whose default is its own (apt.conf(5), APT::Architecture)."""
LONG_DOUBLE = "its numbers have 80 bits on x86_64 and 128 on aarch64, which shows in the last digits"

APT_PROGRAMS = ("apt", "apt-cache", "apt-config", "apt-get", "apt-mark")
DPKG = ("dpkg", "dpkg-deb", "dpkg-divert", "dpkg-query", "dpkg-split", "dpkg-statoverride", "dpkg-trigger")


def _python(version: str) -> PackageRules:
    """Return the rules of the interpreter: to compile files, it loads none of its modules in C."""
    by_name = f"-E -S /usr/lib/python{version}/py_compile.py"
    return PackageRules(
        only=(f"python{version}",),
        when={f"python{version}": Condition(first=(by_name, "-m py_compile"))},
    )


APT: Mapping[str, PackageRules] = {
    "apt": PackageRules(
        # Of its methods those that take most of the time: they unpack, hash and download.
        only=(*APT_PROGRAMS, "http", "store"),
        when=dict.fromkeys(APT_PROGRAMS, APT_OF_THE_ROOT),
        named=("http", "store"),
    ),
    "bash": PackageRules(only=("bash",), when={"bash": SHELL}),
    "bzip2": PackageRules(only=("bzip2", "bzip2recover")),
    "coreutils": PackageRules(
        never={
            "arch": "it prints the architecture",
            "uname": "it prints the architecture",
            "stdbuf": "it preloads a library into programs of the other architecture",
            "numfmt": LONG_DOUBLE,
            "od": LONG_DOUBLE,
            "printf": LONG_DOUBLE,
            "seq": LONG_DOUBLE,
        }
    ),
    "cpio": PackageRules(only=("cpio",)),
    "dash": PackageRules(only=("dash",)),
    "debianutils": PackageRules(only=("run-parts", "tempfile", "ischroot")),
    "diffutils": PackageRules(),
    "dpkg": PackageRules(
        # dselect is for people; start-stop-daemon looks at running programs, which are qemu's here.
        only=(*DPKG, "update-alternatives"),
        # To a dpkg of another architecture every package here is a foreign one, which shows in names such
        # as `libc6:arm64`. The word is all that differs between two builds of it.
        named=DPKG,
    ),
    "dracut-core": PackageRules(only=("dracut-install", "skipcpio")),
    "findutils": PackageRules(),
    "gawk": PackageRules(only=("gawk",)),
    "gpgv": PackageRules(only=("gpgv",)),
    "grep": PackageRules(),
    "gzip": PackageRules(only=("gzip",)),
    "kmod": PackageRules(only=("kmod",)),
    "mawk": PackageRules(only=("mawk",)),
    # New keys are random in qemu, too, and leave before an image is packed.
    "openssh-client": PackageRules(only=("ssh-keygen",)),
    "perl-base": PackageRules(only=("perl",), when={"perl": PERL}),
    # Debian's from 12 and Ubuntu's from 22.04 on.
    **{f"python3.{minor}-minimal": _python(f"3.{minor}") for minor in range(10, 15)},
    "sed": PackageRules(),
    "tar": PackageRules(only=("tar",)),
    "udev": PackageRules(only=("systemd-hwdb",)),
    "util-linux": PackageRules(only=("flock", "getopt", "mountpoint")),
    "xz-utils": PackageRules(only=("xz",)),
    "zstd": PackageRules(only=("zstd",)),
}
"""Debian and Ubuntu. Not here, among others: systemctl (it knows its architecture), ldconfig and the dynamic
loader (they read aarch64 libraries as their own), Python but for compiling (its modules in C say what they
were made for), compilers."""

APT_PERL_FOLDERS = ("perl-base", "perl", "perl5")
"""Below usr/lib/MULTIARCH: where perl's modules in C lie."""


APT_PERL_CONFIG = frozenset({"Config.pm", "Config_git.pl", "Config_heavy.pl", "Errno.pm"})
"""Beside perl's own modules: what it knows of its own build. A twin does without, and so finds the root's."""


GETENT = PackageRules(only=("getent",), when={"getent": Condition(first=("group", "passwd"))})
"""Of databases that are files in every root that is being built: no service answers there."""
SHADOW = PackageRules(only=("groupadd", "useradd"))
"""They write text files, by numbers that those hold."""
UDEV = PackageRules(
    only=("systemd-hwdb", "udevadm"),
    # Which writes what systemd-hwdb writes; all else looks at devices.
    when={"udevadm": Condition(first=("hwdb --update",))},
)

RPM: Mapping[str, PackageRules] = {
    "alternatives": PackageRules(only=("alternatives",)),  # in Enterprise Linux; a program of its own there
    "bash": PackageRules(only=("bash",), when={"bash": SHELL}),
    "bzip2": APT["bzip2"],
    "coreutils": APT["coreutils"],
    "cpio": APT["cpio"],
    "diffutils": PackageRules(),
    "dracut": APT["dracut-core"],
    "findutils": PackageRules(),
    "gawk": PackageRules(only=("gawk",)),
    "glibc": GETENT,
    "glibc-common": GETENT,
    "grep": PackageRules(),
    "gzip": PackageRules(only=("gzip",)),
    "kmod": APT["kmod"],
    # New keys are random in qemu, too, and leave before an image is packed.
    "openssh": PackageRules(only=("ssh-keygen",)),
    "openssh-common": PackageRules(only=("ssh-keygen",)),
    "sed": PackageRules(),
    "shadow": SHADOW,
    "shadow-utils": SHADOW,
    "systemd-udev": UDEV,
    "tar": PackageRules(only=("tar",)),
    "udev": UDEV,
    "update-alternatives": PackageRules(only=("update-alternatives",)),
    "util-linux": APT["util-linux"],
    "util-linux-core": APT["util-linux"],
    "xz": PackageRules(only=("xz",)),
    "zstd": PackageRules(only=("zstd",)),
}
"""Enterprise Linux, openEuler, openSUSE: names of packages of all of them. Not here, among others: systemctl
and ldconfig as above, rpm (it knows its architecture), perl (its modules in C lie in /usr/lib64, of which
there is only one), Python."""


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """What may be replaced in the roots of one kind of distribution."""

    packages: Mapping[str, PackageRules]
    debian: bool
    """Whether its packages lie as Debian's do, with perl's modules below a folder of the architecture."""


DEBIAN_RULES = Ruleset(packages=APT, debian=True)
RPM_RULES = Ruleset(packages=RPM, debian=False)


def shell_settings(machine: str) -> tuple[Setting, ...]:
    """Return what a native shell is told; *machine* is the root's MACHTYPE, such as `aarch64-suse-linux`."""
    architecture, _, system = machine.split("-", 2)
    return (
        Setting(name="HOSTTYPE", value=architecture),
        Setting(name="MACHTYPE", value=machine),
        Setting(name="OSTYPE", value=system),
    )


def apt_settings(multiarch: str, perl_version: str) -> tuple[Setting, ...]:
    """Return what twins of Debian's need to be told, so that they answer as the root's own programs."""
    folders = (f"{TWIN}/usr/lib/{multiarch}", f"/usr/lib/{Architecture.AARCH64.multiarch}")
    names = ("perl-base", f"perl5/{perl_version}", f"perl/{perl_version}")
    paths = (f"{folder}/{name}" for folder in folders for name in names)
    return (
        Setting(name="APT_CONFIG", value=f"{TWIN}/{APT_CONFIGURATION}"),
        Setting(name="PERL5LIB", value=":".join(paths)),
    )
