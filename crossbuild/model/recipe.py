"""Builder images that a container engine makes from one of dockerfiles/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    """`sha256:…` of the image's index, which names one image for each architecture; empty: not known."""
    openhpc: str = ""
    """URL of the package ohpc-release; empty without OpenHPC."""
    enable: tuple[str, ...] = ()
    """Repositories that the distribution brings switched off and OpenHPC depends on."""
    packages: tuple[str, ...] = ()
    """What is installed; with `openhpc`, of OpenHPC."""

    @property
    def base(self) -> str:
        """The base image as engines are asked for it; by its digest where that is known."""
        if not self.digest:
            return self.image
        # No engine takes both a tag and a digest from its API.
        return f"{self.image.rpartition(':')[0]}@{self.digest}"


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What a site adds to a recipe."""

    base: str = ""
    """Another base image; empty: the recipe's."""
    openhpc: str = ""
    """URL of the package ohpc-release; empty: an image without OpenHPC."""
    openhpc_sha256: str = ""
    """Of that package."""
    repositories: str = ""
    """The text of a repository file that takes the place of the distribution's own; no passwords."""
    proxies: Mapping[str, str]
    """By their variables' names, such as `HTTP_PROXY`; they leave no trace in the image."""

    @property
    def unchecked(self) -> bool:
        """Say whether the image gets a package that nothing checks: it brings the key of all others."""
        return self.openhpc.startswith("http:") and not self.openhpc_sha256
