"""Repositories of a build in the formats of dnf.conf(5) and of zypper's .repo files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from crossbuild.model.architecture import Architecture
from crossbuild.model.spec import RpmRepository, is_address

CACHE = "/run/crossbuild-rpm"
"""In the root while packages are installed: metadata and packages, which lie in the scratch folder."""
VARIABLE = re.compile(r"\$(?:releasever|basearch|arch)\b")


def usable(
    repositories: Iterable[RpmRepository], releasever: str, arch: Architecture
) -> tuple[RpmRepository, ...]:
    """Return those that are for *arch*, variables filled in: nothing is left to what a host is."""
    words = {"$releasever": releasever, "$basearch": arch.value, "$arch": arch.value}

    def filled(text: str) -> str:
        return VARIABLE.sub(lambda match: words[match[0]], text)

    return tuple(
        replace(
            repository,
            uris=tuple(filled(uri) for uri in repository.uris),
            signed_by=filled(repository.signed_by)
            if is_address(repository.signed_by)
            else repository.signed_by,
        )
        for repository in repositories
        if arch in repository.arches
    )


def repo_file(repository: RpmRepository, keys: str) -> str:
    """Return the section of *repository* for either package manager; its keys lie in the file *keys*."""
    checked = repository.gpgcheck or repository.repo_gpgcheck
    lines = [
        f"[{repository.id}]",
        f"name={repository.id}",
        "baseurl=" + "\n        ".join(repository.uris),
        "enabled=1",
        "autorefresh=0",
        "keeppackages=1",
        f"gpgcheck={repository.gpgcheck:d}",
        f"repo_gpgcheck={repository.repo_gpgcheck:d}",
        # zypper would let signed metadata vouch for packages that nobody signed.
        f"pkg_gpgcheck={repository.gpgcheck:d}",
        "skip_if_unavailable=0",
        *([f"gpgkey=file://{keys}"] if checked else []),
    ]
    return "\n".join(lines) + "\n"


def dnf_main(platform: str) -> str:
    """Return the section of dnf.conf(5) that keeps dnf to the root and to what a spec asks for.

    dnf itself puts the root in front of these folders.
    """
    settings = {
        "cachedir": f"{CACHE}/cache",
        "logdir": f"{CACHE}/log",
        "persistdir": f"{CACHE}/state",  # its history tells times, and of this host
        "reposdir": "/dev/null",
        "varsdir": "/dev/null",
        "pluginpath": "/dev/null",
        "keepcache": "1",
        "metadata_expire": "never",  # one build sees one state of the repositories from beginning to end
        "install_weak_deps": "0",
        "best": "1",
        "gpgcheck": "1",
        "skip_if_unavailable": "0",
        "tsflags": "",
        **({"module_platform_id": platform} if platform else {}),
    }
    return "[main]\n" + "".join(f"{name}={value}\n" for name, value in settings.items())


def zypp_main(arch: Architecture) -> str:
    """Return the zypp.conf that makes libzypp resolve for *arch*, whatever this host is."""
    settings = {
        "arch": arch.value,
        "solver.onlyRequires": "true",
        "commit.downloadMode": "DownloadInAdvance",
        "rpm.install.excludedocs": "no",
    }
    return "[main]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
