"""The apt.conf(5) files that keep apt to the root's architecture, sources and folders."""

from __future__ import annotations

import re
from collections.abc import Iterable

from crossbuild.model.architecture import Architecture

# Of this host's own Acquire settings everything counts (proxies, certificates, retries), but nothing that
# would accept what nobody signed, and nothing that describes the layout of indexes.
NOT_FROM_HOST = re.compile(r"Acquire::(Allow|IndexTargets|Languages|cdrom|Changelogs)", re.IGNORECASE)


def acquire_settings(dump: str) -> str:
    """Return from the output of `apt-config dump` the lines that say how to download."""
    lines = (line for line in dump.splitlines() if line.startswith("Acquire::"))
    return "".join(
        f"{line}\n" for line in lines if not NOT_FROM_HOST.match(line) and not line.endswith('"";')
    )


def _quoted(settings: Iterable[tuple[str, str]]) -> str:
    return "".join(f'{name} "{value}";\n' for name, value in settings)


def common(arch: Architecture, folder: str, acquire: str) -> str:
    """Return what holds for every run of apt; *folder* holds the sources and the lists."""
    return acquire + _quoted(
        [
            ("APT::Architecture", arch.debian),
            ("APT::Architectures::", arch.debian),
            ("APT::Install-Recommends", "false"),
            ("APT::Get::Assume-Yes", "true"),
            ("Acquire::Languages", "none"),
            ("Dir::Etc::main", "/dev/null"),
            ("Dir::Etc::parts", "/dev/null"),
            ("Dir::Etc::sourcelist", f"{folder}/sources.sources"),
            ("Dir::Etc::sourceparts", "/dev/null"),
            ("Dir::Etc::trustedparts", "/etc/apt/trusted.gpg.d"),
            ("Dir::State::lists", f"{folder}/lists"),
            ("Dpkg::Use-Pty", "false"),
        ]
    )


def for_index(folder: str) -> str:
    """Return what apt needs to fetch indexes and to resolve packages for a root that is still empty."""
    return _quoted(
        [
            ("Dir::Cache", folder),
            ("Dir::Etc::preferences", "/dev/null"),
            ("Dir::Etc::preferencesparts", "/dev/null"),
            ("Dir::State", folder),
            ("Dir::State::status", f"{folder}/status"),
        ]
    )


def for_root(root: str, work: str) -> str:
    """Return what apt needs to install into *root*: dpkg runs chrooted there, everything else here."""
    return _quoted(
        [
            ("Dir", root),
            ("Dir::State::status", f"{root}/var/lib/dpkg/status"),
            ("Dir::Cache::pkgcache", ""),
            ("Dir::Cache::srcpkgcache", ""),
            ("DPkg::Chroot-Directory", root),
            # The root is scratch until it is published whole: no fsync for every file.
            ("DPkg::Options::", "--force-unsafe-io"),
            ("DPkg::Options::", "--force-confdef"),
            ("DPkg::Options::", "--force-confold"),
            ("Dir::Log", f"{work}/log"),
        ]
    )
