"""Builder images from dockerfiles/, made by an engine."""

from __future__ import annotations

from dataclasses import dataclass

from crossbuild import resources
from crossbuild.engines import images
from crossbuild.engines.connection import session
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import EngineKind
from crossbuild.model.recipe import Recipe, RecipeSettings

RECIPE = "org.crossbuild.recipe"
"""Label that names the recipe of an image."""


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image that was made from a recipe."""

    reference: str
    """What the engine calls it."""
    base: str
    """`NAME@sha256:…` of the base image, empty for one that came from no registry."""


def arguments(recipe: Recipe, settings: RecipeSettings, base: str) -> dict[str, str]:
    """Return the build arguments of *recipe* on the image *base*."""
    of_openhpc = bool(recipe.openhpc)
    filled = {
        "BASE_IMAGE": base,
        "REPOSITORIES": settings.repositories,
        "ENABLE": " ".join(recipe.enable) if settings.openhpc else "",
        "OHPC_RELEASE": settings.openhpc,
        "OHPC_RELEASE_SHA256": settings.openhpc_sha256 if settings.openhpc else "",
        "PACKAGES": " ".join(recipe.packages) if settings.openhpc or not of_openhpc else "",
    }
    return {**settings.proxies, **{name: value for name, value in filled.items() if value}}


def build_image(kind: EngineKind, recipe: Recipe, settings: RecipeSettings, arch: Architecture) -> BuiltImage:
    """Build *recipe* for *arch*; raise BuildFailedError, ArtifactError for a base image of another one."""
    reference = f"localhost/crossbuild/images:{recipe.name}"
    base = settings.base or recipe.base
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
