"""What is installed in a tree of which only the package database is at hand, such as a builder's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.distros import catalog, dpkg_database
from crossbuild.distros.rpm import database as rpm_database
from crossbuild.host.command import capture, find
from crossbuild.host.rooted import os_release

RPM_PLACES = ("usr/lib/sysimage/rpm", "var/lib/rpm")
RPM_FILES = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages.db", "Packages")
"""What the backends of rpm call their databases (rpm, lib/backend); what others have was not written yet."""
DATABASES = tuple(
    PurePosixPath("/", path)
    for path in (
        "etc/os-release",
        "usr/lib/os-release",
        dpkg_database.DATABASE,
        *(f"{place}/{name}" for place in RPM_PLACES for name in RPM_FILES),
    )
)
"""The files of a root that `RootPrograms.of` reads."""


@dataclass(frozen=True, kw_only=True)
class RootPrograms:
    """What decides the twin of a root that exists."""

    distro: str
    release: str
    versions: Mapping[str, str]
    """Of all its packages, by name; empty where the database cannot be read on this host."""

    @classmethod
    def of(cls, root: Path) -> RootPrograms:
        """Read os-release(5) and the package database of *root*."""
        said = os_release(root)
        distro, version = said.get("ID", "").lower(), said.get("VERSION_ID", "")
        packages = dpkg_database.installed_packages(root)
        return cls(
            distro=distro,
            release=_known_release(distro, version),
            versions={package.name: package.version for package in packages} or _rpm_versions(root),
        )


def _known_release(distro: str, version: str) -> str:
    """Return what crossbuild calls *version*: the major release may stand for all its minor ones."""
    known = {entry.release for entry in catalog.RELEASES if entry.distro == distro}
    return next((name for name in (version, version.partition(".")[0]) if name in known), version)


def _rpm_versions(root: Path) -> dict[str, str]:
    for place in RPM_PLACES:
        if find("rpm") and any((root / place / name).is_file() for name in RPM_FILES):
            where = f"--dbpath={os.fspath(root / place)}"
            listed = capture([rpm_database.QUERY[0], where, *rpm_database.QUERY[1:]], check=False).stdout
            return {package.name: package.version for package in rpm_database.parse(listed.splitlines())}
    return {}
