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

DIGESTS = {
    "almalinux:10": "957738702313e6ee452cdb17bc1431542c467be9a4e2f4da3b8e551b0ebb9677",
    "almalinux:8": "8b469a3a78515e8a18ea8fc727e6a3679e1d0c5ba6f58d5b30be3d0d9b86cffe",
    "almalinux:9": "9819dc675b67b595c2b59e42be7763fca1a8bb217fa5944e04daa22e9a64db16",
    "centos:7": "be65f488b7764ad3638f236b7b515b3678369a5124c47b8d32916d6487418ea4",
    "debian:12": "f37a335e82bca302e955fa39f9dfe28f1be618f016f8a2b56318e5a5111afc26",
    "opensuse/leap:15.6": "ca2942f9510c3e30fd322017782cdf6c067b2183dd7d56b39d0c697a9808ce2a",
    "rockylinux/rockylinux:10": "827d37bc128288ccf160ee318bb3cb92d591164cb217e92f8bc61e3982ae1834",
    "rockylinux/rockylinux:8": "e8a49c5403b687db05d4d67333fa45808fbe74f36e683cec7abb1f7d0f2338c6",
    "rockylinux/rockylinux:9": "8101994123cf3d0a8fee517bee7f39e555c7d92bd2d9eb3303cc988a0eeed00f",
}
"""sha256 of the indexes on Docker Hub, as Dockerfiles of several public projects pin them (autumn of 2026).

An image that is not here is pinned by what the registry gives the first time.
"""


def _with_openhpc(name: str, title: str, image: str, series: Series, tree: Tree) -> Recipe:
    package = f"ohpc-release-{series.name}-1.{TAGS[tree.folder]}.aarch64.rpm"
    return Recipe(
        name=name,
        title=f"{title}, OpenHPC {series.name}",
        dockerfile="zypper" if tree.folder.startswith("Leap") else "dnf",
        image=image,
        digest=_digest(image),
        openhpc=f"{series.top}/{tree.folder}/aarch64/{package}",
        enable=tuple(repository for repository in tree.extra if repository in SWITCHED_OFF),
        packages=WAREWULF4 if series is SERIES_4 else WAREWULF3,
    )


def _digest(image: str) -> str:
    return f"sha256:{DIGESTS[image]}" if image in DIGESTS else ""


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
        "opensuse/leap:15.6",
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
    Recipe(
        name="debian12", title="Debian 12", dockerfile="apt", image="debian:12", digest=_digest("debian:12")
    ),
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
