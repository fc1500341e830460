"""From the key `openhpc` of a spec to repositories and packages; pure, and each refusal says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crossbuild.distros.openhpc.groups import GROUPS, SHORTHANDS, Group
from crossbuild.distros.openhpc.releases import OPENHPC_RELEASES, OpenHpcRelease, Tree
from crossbuild.distros.release import KnownRepository, Release
from crossbuild.errors import SpecError
from crossbuild.model.architecture import Architecture


@dataclass(frozen=True, kw_only=True)
class GroupPackages:
    """The packages that a group is in one release."""

    group: str
    packages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenHpcChoice:
    """What an image gets of OpenHPC, and what that needs."""

    release: str
    series: str
    extra: tuple[str, ...]
    """Repositories of the distribution, by id, that have to be switched on."""
    repositories: tuple[KnownRepository, ...]
    groups: tuple[GroupPackages, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """Every package, once, in the order of the guides."""
        return tuple(dict.fromkeys(name for group in self.groups for name in group.packages))


def choose(release: str, distro: Release, groups: Iterable[str], arch: Architecture) -> OpenHpcChoice:
    """Return what *groups* are in *release* for *distro*; raise SpecError for what does not exist."""
    chosen = _release(release)
    tree = _tree(chosen, distro)
    return OpenHpcChoice(
        release=chosen.name,
        series=chosen.series.name,
        extra=tree.extra,
        repositories=chosen.series.repositories(tree),
        groups=tuple(
            GroupPackages(group=group.name, packages=_packages(group, chosen, arch))
            for group in _groups(groups)
        ),
    )


def releases_for(distro: Release) -> tuple[str, ...]:
    """Return the releases of OpenHPC that are made for *distro*, the oldest first."""
    return tuple(release.name for release in OPENHPC_RELEASES if release.tree(distro))


def _release(name: str) -> OpenHpcRelease:
    """Return that release, or the newest known one of the series of that name."""
    for release in reversed(OPENHPC_RELEASES):
        if name in {release.name, release.series.name}:
            return release
    known = ", ".join(f'"{release.name}"' for release in OPENHPC_RELEASES)
    raise SpecError(
        f"crossbuild does not know OpenHPC {name}.",
        details=f"openhpc.release: known are {known}",
        resolution='Use one of these, in quotes; the name of a series, such as "3", means its newest.',
    )


def _tree(release: OpenHpcRelease, distro: Release) -> Tree:
    tree = release.tree(distro)
    if tree is not None:
        return tree
    fitting = ", ".join(f'"{name}"' for name in releases_for(distro))
    made_for = ", ".join(dict.fromkeys(f"{tree.distros[0]} {tree.version}" for tree in release.series.trees))
    raise SpecError(
        f"OpenHPC {release.name} does not fit {distro.title}.",
        details=f"openhpc.release: OpenHPC {release.name} is made for {made_for}",
        resolution=f"For {distro.title} use {fitting}."
        if fitting
        else f"Remove the key: OpenHPC publishes no packages for {distro.title}.",
    )


def _groups(names: Iterable[str]) -> tuple[Group, ...]:
    """Return the groups of those names, each once, in the order of the guides."""
    known = {group.name: group for group in GROUPS}
    wanted: set[str] = set()
    for index, name in enumerate(names):
        if name not in known and name not in SHORTHANDS:
            raise SpecError(
                f"OpenHPC has no group `{name}`.",
                details=f"openhpc.groups[{index}]: known are {', '.join([*known, *SHORTHANDS])}",
                resolution="Use one of these, or name single packages under `packages:`.",
            )
        wanted.update(SHORTHANDS.get(name, (name,)))
    return tuple(group for group in GROUPS if group.name in wanted)


def _packages(group: Group, release: OpenHpcRelease, arch: Architecture) -> tuple[str, ...]:
    packages = group.packages(release)
    if arch in group.arches and packages:
        return packages
    missing = arch if packages else f"OpenHPC {release.name}"
    raise SpecError(
        f"The group `{group.name}` does not exist for {missing}.",
        details=f"openhpc.groups: {group.name}, {group.purpose}",
        resolution="Leave it out.",
    )
