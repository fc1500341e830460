"""The distributions and releases that crossbuild knows, from one module of values for each distribution."""

from __future__ import annotations

from crossbuild.distros.definitions import debian, opensuse_leap, rocky, ubuntu
from crossbuild.distros.release import Release
from crossbuild.errors import SpecError

RELEASES: tuple[Release, ...] = (
    *debian.RELEASES,
    *ubuntu.RELEASES,
    *rocky.RELEASES,
    *opensuse_leap.RELEASES,
)


def codenames(distro: str) -> frozenset[str]:
    """Return every codename of *distro*, one of apt's, that crossbuild knows."""
    return frozenset(entry.apt.codename for entry in RELEASES if entry.distro == distro)


def lookup(distro: str, release: str) -> Release:
    """Return that release; raise SpecError naming the known ones."""
    for entry in RELEASES:
        if (entry.distro, entry.release) == (distro, release):
            return entry
    known = ", ".join(f'{entry.distro} "{entry.release}"' for entry in RELEASES)
    same = [entry.release for entry in RELEASES if entry.distro == distro]
    key = "release" if same else "distro"
    raise SpecError(
        f"crossbuild does not know {distro} {release}.",
        details=f"{key}: known are {known}",
        resolution="Use one of these, with the release in quotes.",
    )
