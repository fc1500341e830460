"""Specs of images from the RPM distributions of the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.repository import MadeRepository
from tests.integration.rpm_distribution.table import Like


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What differs between the two distributions."""

    distro: str
    release: str
    packages: tuple[str, ...]
    units: tuple[str, ...]
    database: str
    """Where the root's own rpm has it."""


KINDS: Mapping[Like, Kind] = {
    Like.EL: Kind(
        distro="rocky",
        release="9",
        packages=("ohpc-base-compute", "ohpc-slurm-client", "chrony", "dbus", "lmod-ohpc"),
        units=("munge", "slurmd", "sshd"),
        database="/var/lib/rpm/rpmdb.sqlite",
    ),
    Like.SUSE: Kind(
        distro="opensuse-leap",
        release="15.6",
        packages=("ohpc-base-compute", "ohpc-slurm-client", "chrony", "dbus-1", "lmod-ohpc"),
        units=("munge", "slurmd", "sshd"),
        database="/usr/lib/sysimage/rpm/rpmdb.sqlite",
    ),
}


def image_spec(made: MadeRepository, folder: Path, *, arch: Architecture = Architecture.AARCH64) -> Path:
    """Write the spec of a compute image that is installed from *made* and its sister; return its path."""
    kind = KINDS[made.like]
    scheme = "dir" if made.like is Like.SUSE else "file"
    path = folder / f"{made.like}-{arch}.yaml"
    path.write_text(
        f"name: {made.like}-compute\n"
        f"distro: {kind.distro}\n"
        f'release: "{kind.release}"\n'
        f"arch: {arch}\n"
        "repositories:\n"
        f"  - id: {made.like}\n"
        f'    uris: ["{scheme}://{made.path.parent}/$basearch"]\n'
        f"    signed_by: {made.key}\n"
        f'    fingerprints: ["{made.fingerprint}"]\n'
        "    repo_gpgcheck: true\n"
        f"packages: [{', '.join(kind.packages)}]\n"
        f"services: {{enable: [{', '.join(kind.units)}]}}\n"
    )
    return path


def root_spec(made: MadeRepository, folder: Path, packages: Sequence[str], *more: Path) -> Path:
    """Write the spec of a root without a kernel, from *made* and the repositories *more*; return its path."""
    kind = KINDS[made.like]
    scheme = "dir" if made.like is Like.SUSE else "file"
    places = (f"{made.path.parent}/$basearch", *map(str, more))
    entries = (
        f'  - {{id: r{number}, uris: ["{scheme}://{place}"], signed_by: {made.key}, repo_gpgcheck: true}}\n'
        for number, place in enumerate(places)
    )
    path = folder / "root.yaml"
    path.write_text(
        f'name: {made.like}-root\ndistro: {kind.distro}\nrelease: "{kind.release}"\nkernel: false\n'
        f"repositories:\n{''.join(entries)}"
        f"packages: [{', '.join(packages)}]\noutputs: [warewulf4]\n"
    )
    return path
