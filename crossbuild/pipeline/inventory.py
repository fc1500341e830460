"""What is installed in a root, and what it brought, by the database that its own package manager reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from crossbuild.distros import dpkg_database
from crossbuild.distros.release import Family
from crossbuild.distros.rpm import database as rpm_database
from crossbuild.errors import BuildFailedError, CommandFailedError
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.sandbox import Sandbox, SandboxMachine
from crossbuild.model.root import Package


def dpkg_inventory(root: Path) -> tuple[Package, ...]:
    """Return the packages in *root*; raise BuildFailedError for packages that were left half done."""
    if unfinished := dpkg_database.unfinished_packages(root):
        raise BuildFailedError("Some packages were not installed completely.", details="\n".join(unfinished))
    return dpkg_database.installed_packages(root)


def rpm_inventory(root: Path) -> tuple[Package, ...]:
    """Return the packages in *root*, asked of its own rpm: that must be able to read its database."""
    lines = _asked(root, rpm_database.QUERY)
    packages = rpm_database.parse(lines)
    if not packages:
        raise BuildFailedError("The image's own rpm finds no packages.", details="\n".join(lines))
    return packages


def rpm_owners(root: Path) -> dict[str, str]:
    """Return the package of each path that one brought into *root*; raise BuildFailedError."""
    return rpm_database.parse_files(_asked(root, rpm_database.FILES_QUERY))


def _asked(root: Path, query: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    sandbox = Sandbox(root=root, pivot=True, network=False)
    try:
        SandboxMachine(sandbox=sandbox, env=environment_of_builds()).run(query, on_line=lines.append)
    except CommandFailedError as error:
        raise BuildFailedError(
            "The image's own rpm cannot read its database.", details=error.details
        ) from error
    return lines


INVENTORIES: Mapping[Family, Callable[[Path], tuple[Package, ...]]] = {
    Family.APT: dpkg_inventory,
    Family.DNF: rpm_inventory,
    Family.ZYPPER: rpm_inventory,
}
"""What is installed."""

OWNERS: Mapping[Family, Callable[[Path], dict[str, str]]] = {
    Family.APT: dpkg_database.owned_files,
    Family.DNF: rpm_owners,
    Family.ZYPPER: rpm_owners,
}
"""What it brought."""
