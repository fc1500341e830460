"""The builder images that dockerfiles/ makes, as data; a new release is a new entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossbuild import resources
from crossbuild.engines import images
from crossbuild.engines.connection import session
from crossbuild.errors import UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import EngineKind

WAREWULF3 = ("ohpc-base", "ohpc-warewulf")
"""What the ancestor's images hold: OpenHPC up to 3."""
WAREWULF4 = ("ohpc-base", "warewulf-ohpc")
RECIPE = "org.crossbuild.recipe"
"""Label that names the recipe of an image."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One builder image."""

    name: str
    """As in `--recipe`."""
    title: str
    dockerfile: str
    """Its name below dockerfiles/, without the ending."""
    image: str
    """The base image, as engines find it without a registry's name."""
    digest: str = ""
    """`sha256:…` of the base image for arm64; empty: pinned when it is first pulled, and recorded."""
    server: str = "http://repos.openhpc.community"
    """OpenHPC's, which speaks no TLS: see `RecipeSettings.openhpc_sha256`."""
    openhpc: str = ""
    """Where it keeps the package ohpc-release; empty without OpenHPC."""
    enable: tuple[str, ...] = ()
    """Repositories that the distribution brings switched off."""
    packages: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """The base image, pinned where its digest is known."""
        return f"{self.image}@{self.digest}" if self.digest else self.image


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What a site adds to a recipe."""

    base: str = ""
    """Another base image; empty: the recipe's."""
    openhpc_server: str | None = None
    """URL of a mirror of OpenHPC's server; empty: an image without OpenHPC."""
    openhpc_sha256: str = ""
    """Of the package ohpc-release."""
    repositories: str = ""
    """The text of a repository file that takes the place of the distribution's own; no passwords."""
    proxies: Mapping[str, str]
    """By their variables' names, such as `HTTP_PROXY`; they leave no trace in the image."""

    def openhpc(self, recipe: Recipe) -> str:
        """Return the URL of the package ohpc-release for *recipe*, empty for an image without OpenHPC."""
        server = recipe.server if self.openhpc_server is None else self.openhpc_server
        return f"{server.rstrip('/')}/{recipe.openhpc}" if server and recipe.openhpc else ""

    def unchecked(self, recipe: Recipe) -> bool:
        """Say whether *recipe* brings a package that nothing checks."""
        return bool(self.openhpc(recipe)) and not self.openhpc_sha256


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image that was made from a recipe."""

    reference: str
    """What the engine calls it."""
    base: str
    """`NAME@sha256:…` of the base image, empty for one that came from no registry."""


def _enterprise_linux(distro: str, image: str, release: str) -> Recipe:
    openhpc, enable, packages = {
        "8": ("OpenHPC/2/EL_8/aarch64/ohpc-release-2-1.el8.aarch64.rpm", "powertools", WAREWULF3),
        "9": ("OpenHPC/3/EL_9/aarch64/ohpc-release-3-1.el9.aarch64.rpm", "crb", WAREWULF3),
        "10": ("OpenHPC/4/EL_10/aarch64/ohpc-release-4-1.el10.aarch64.rpm", "crb", WAREWULF4),
    }[release]
    return Recipe(
        name=f"{distro}{release}",
        title=f"{distro.title()} {release}, OpenHPC {openhpc.split('/')[1]}",
        dockerfile="dnf",
        image=f"{image}:{release}",
        openhpc=openhpc,
        enable=(enable,),
        packages=packages,
    )


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="centos7",
        title="CentOS 7, OpenHPC 1.3.9",
        dockerfile="dnf",
        image="centos:7",
        server="http://build.openhpc.community",
        openhpc="OpenHPC:/1.3/CentOS_7/aarch64/ohpc-release-1.3-1.el7.aarch64.rpm",
        packages=WAREWULF3,
    ),
    *(
        _enterprise_linux(distro, image, release)
        for release in ("8", "9", "10")
        for distro, image in (("rocky", "rockylinux/rockylinux"), ("almalinux", "almalinux"))
    ),
    Recipe(
        name="leap15",
        title="openSUSE Leap 15, OpenHPC 3",
        dockerfile="zypper",
        image="opensuse/leap:15",
        openhpc="OpenHPC/3/Leap_15/aarch64/ohpc-release-3-1.leap15.aarch64.rpm",
        packages=WAREWULF3,
    ),
    Recipe(
        name="leap15-openhpc2",
        title="openSUSE Leap 15, OpenHPC 2",
        dockerfile="zypper",
        image="opensuse/leap:15.3",  # the last one that OpenHPC 2 was made for
        openhpc="OpenHPC/2/Leap_15/aarch64/ohpc-release-2-1.leap15.aarch64.rpm",
        packages=WAREWULF3,
    ),
    Recipe(
        name="openeuler22.03",
        title="openEuler 22.03, OpenHPC 3",
        dockerfile="dnf",
        image="openeuler/openeuler:22.03-lts",
        openhpc="OpenHPC/3/openEuler_22.03/aarch64/ohpc-release-3-1.oe2203.aarch64.rpm",
        packages=WAREWULF3,
    ),
    Recipe(
        name="openeuler24.03",
        title="openEuler 24.03, OpenHPC 4",
        dockerfile="dnf",
        image="openeuler/openeuler:24.03-lts",
        openhpc="OpenHPC/4/openEuler_24.03/aarch64/ohpc-release-4-1.oe2403.aarch64.rpm",
        packages=WAREWULF4,
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


def arguments(recipe: Recipe, settings: RecipeSettings, base: str) -> dict[str, str]:
    """Return the build arguments of *recipe* on the image *base*."""
    openhpc = settings.openhpc(recipe)
    filled = {
        "BASE_IMAGE": base,
        "REPOSITORIES": settings.repositories,
        "ENABLE": " ".join(recipe.enable) if openhpc else "",
        "OHPC_RELEASE": openhpc,
        "OHPC_RELEASE_SHA256": settings.openhpc_sha256 if openhpc else "",
        "PACKAGES": " ".join(recipe.packages) if openhpc or not recipe.openhpc else "",
    }
    return {**settings.proxies, **{name: value for name, value in filled.items() if value}}


def build_image(kind: EngineKind, recipe: Recipe, settings: RecipeSettings, arch: Architecture) -> BuiltImage:
    """Build *recipe* for *arch*; raise BuildFailedError, ArtifactError for a base image of another one."""
    reference = f"localhost/crossbuild/images:{recipe.name}"
    base = settings.base or recipe.reference
    with session(kind) as engine:
        images.acquire(engine, base, arch)
        request = images.ImageBuild(
            dockerfile=resources.data_folder() / "dockerfiles" / f"{recipe.dockerfile}.Dockerfile",
            tag=reference,
            arguments=arguments(recipe, settings, base),
            labels={RECIPE: recipe.name},
        )
        images.build(engine, request, arch)
        return BuiltImage(reference=reference, base=images.digest_of(engine, base))
