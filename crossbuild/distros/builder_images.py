"""The builder images that dockerfiles/ makes, as data; a new release is a new entry."""

from __future__ import annotations

from crossbuild.distros.openhpc.releases import (
    SERIES_1,
    SERIES_2,
    SERIES_3,
    SERIES_4,
    Series,
    Tree,
)
from crossbuild.errors import UsageError
from crossbuild.model.recipe import Recipe

WAREWULF3 = ("ohpc-base", "ohpc-warewulf")
"""What the ancestor's images hold: OpenHPC up to 3."""
WAREWULF4 = ("ohpc-base", "warewulf-ohpc")
TAGS = {
    "CentOS_7": "el7",
    "EL_8": "el8",
    "EL_9": "el9",
    "EL_10": "el10",
    "Leap_15": "leap15",
    "openEuler_22.03": "oe2203",
    "openEuler_24.03": "oe2403",
}
"""What packages of a tree have behind their version (guides of OpenHPC, "Enable OpenHPC repository")."""
SWITCHED_OFF = frozenset({"powertools", "crb"})
"""Repositories that base images have, but switched off; others come with the package ohpc-release."""


def _with_openhpc(name: str, title: str, image: str, series: Series, tree: Tree) -> Recipe:
    package = f"ohpc-release-{series.name}-1.{TAGS[tree.folder]}.aarch64.rpm"
    return Recipe(
        name=name,
        title=f"{title}, OpenHPC {series.name}",
        dockerfile="zypper" if tree.folder.startswith("Leap") else "dnf",
        image=image,
        openhpc=f"{series.top}/{tree.folder}/aarch64/{package}",
        enable=tuple(repository for repository in tree.extra if repository in SWITCHED_OFF),
        packages=WAREWULF4 if series is SERIES_4 else WAREWULF3,
    )


def _tree(series: Series, distro: str, version: str) -> Tree:
    return next(tree for tree in series.trees if distro in tree.distros and tree.version == version)


def _enterprise_linux(distro: str, title: str, image: str) -> tuple[Recipe, ...]:
    return tuple(
        _with_openhpc(
            f"{distro}{version}",
            f"{title} {version}",
            f"{image}:{version}",
            series,
            _tree(series, distro, version),
        )
        for version, series in (("8", SERIES_2), ("9", SERIES_3), ("10", SERIES_4))
    )


RECIPES: tuple[Recipe, ...] = (
    _with_openhpc("centos7", "CentOS 7", "centos:7", SERIES_1, _tree(SERIES_1, "centos", "7")),
    *_enterprise_linux("rocky", "Rocky Linux", "rockylinux/rockylinux"),
    *_enterprise_linux("almalinux", "AlmaLinux", "almalinux"),
    _with_openhpc(
        "leap15",
        "openSUSE Leap 15",
        "opensuse/leap:15",
        SERIES_3,
        _tree(SERIES_3, "opensuse-leap", "15.5"),
    ),
    _with_openhpc(
        "leap15-openhpc2",
        "openSUSE Leap 15",
        "opensuse/leap:15.3",
        SERIES_2,
        _tree(SERIES_2, "opensuse-leap", "15.3"),
    ),
    _with_openhpc(
        "openeuler22.03",
        "openEuler 22.03",
        "openeuler/openeuler:22.03-lts",
        SERIES_3,
        _tree(SERIES_3, "openeuler", "22.03"),
    ),
    _with_openhpc(
        "openeuler24.03",
        "openEuler 24.03",
        "openeuler/openeuler:24.03-lts",
        SERIES_4,
        _tree(SERIES_4, "openeuler", "24.03"),
    ),
    Recipe(name="debian12", title="Debian 12", dockerfile="apt", image="debian:12"),
)


def find_recipe(name: str) -> Recipe:
    """Return the recipe *name*; raise UsageError naming those that exist."""
    known = {recipe.name: recipe for recipe in RECIPES}
    if name not in known:
        raise UsageError(
            f"There is no builder image `{name}`.",
            details=f"Known: {', '.join(known)}.",
            resolution="Choose one of these, or make the builder from a root, an archive or another image.",
        )
    return known[name]
