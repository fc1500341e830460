"""What builders are made of: each origin becomes a base."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from crossbuild.builders.contract import ArchiveBase, Base, ImageBase, RootBase
from crossbuild.config.spec import spec_from
from crossbuild.distros.builder_images import find_recipe
from crossbuild.distros.release import mirrored
from crossbuild.errors import SpecError, UsageError
from crossbuild.host.locks import NoticeSink
from crossbuild.machines.environment import PROXIES
from crossbuild.machines.named_roots import find_root
from crossbuild.model.builder import Builder, EngineKind, Origin, OriginKind
from crossbuild.model.events import EventSink
from crossbuild.model.recipe import RecipeSettings
from crossbuild.model.site import RecipeDefaults, Site
from crossbuild.pipeline.building import create_root


@dataclass(frozen=True, kw_only=True)
class BaseMaker:
    """Makes bases for one site."""

    site: Site
    notice: NoticeSink
    on_event: EventSink
    emulator_only: bool

    def make(self, builder: Builder) -> tuple[Base, Origin]:
        """Return what *builder* is made of, and its origin with what was learned on the way."""
        origin = builder.origin
        match origin.kind:
            case OriginKind.PACKAGES:
                return self._new_root(builder), origin
            case OriginKind.ROOT:
                return RootBase(path=find_root(self.site, origin.reference).path, consumed=False), origin
            case OriginKind.IMAGE:
                return ImageBase(reference=origin.reference), origin
            case OriginKind.ARCHIVE:
                return ArchiveBase(path=Path(origin.reference)), origin
            case OriginKind.RECIPE:
                return self._image(builder)
            case _:
                assert_never(origin.kind)

    def _new_root(self, builder: Builder) -> RootBase:
        origin = builder.origin
        document: dict[str, object] = {
            "name": builder.name,
            "distro": origin.distro,
            "release": origin.release,
            "kernel": False,
            "packages": [*origin.packages],
        }
        spec = spec_from(document, Path("the command line"), self.site)
        # On the disk of builders, where the tree becomes one by rename.
        scratch = replace(self.site, prefix=self.site.state / "builders/.new")
        path = create_root(
            spec, scratch, on_event=self.on_event, replace=True, emulator_only=self.emulator_only
        )
        return RootBase(path=path, consumed=True)

    def _image(self, builder: Builder) -> tuple[ImageBase, Origin]:
        # Here, since it brings the docker SDK, which other origins do without.
        from crossbuild.engines.recipes import build_image  # noqa: PLC0415

        origin = builder.origin
        recipe = find_recipe(origin.reference)
        if builder.engine is EngineKind.SANDBOX:
            raise UsageError(
                "Dockerfiles are built by Docker or Podman.",
                details=f"This builder would be held by crossbuild itself, since {builder.reason}.",
                resolution="Start one of them, and use `--engine docker` or `--engine podman`.",
            )
        defaults = self.site.builders.recipe(recipe.name)
        settings = RecipeSettings(
            base=defaults.base_image or origin.pin,
            openhpc=mirrored(recipe.openhpc, self.site.mirrors) if defaults.openhpc else "",
            openhpc_sha256=defaults.openhpc_sha256,
            repositories=_text(defaults),
            proxies={name: os.environ[name] for name in PROXIES if name in os.environ},
        )
        if settings.unchecked:
            self.notice(
                f"Nothing checks the package ohpc-release of `{recipe.name}`: "
                f"`builders.recipes.{recipe.name}.openhpc_sha256` in the configuration would."
            )
        built = build_image(builder.engine, recipe, settings, builder.arch)
        return ImageBase(reference=built.reference), replace(origin, pin=built.base)


def _text(defaults: RecipeDefaults) -> str:
    """Return the text of the repository file that a recipe gets, empty for the distribution's own."""
    if defaults.repositories is None:
        return ""
    try:
        return defaults.repositories.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise SpecError(
            f"Cannot read {defaults.repositories}, which the configuration names.", details=str(error)
        ) from error
