"""What holds for every build of one site."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from crossbuild.model.builder import EngineKind, Mount
from crossbuild.model.ims import ImsAccess
from crossbuild.model.offload import OffloadDefaults, SlurmDefaults
from crossbuild.model.spec import Repository


@dataclass(frozen=True, kw_only=True)
class RecipeDefaults:
    """What the site adds to one of dockerfiles/."""

    base_image: str = ""
    """Instead of the recipe's; with `@sha256:…` it is pinned."""
    repositories: Path | None = None
    """A repository file that takes the place of the distribution's own."""
    openhpc: bool = True
    """Whether OpenHPC is part of it, where the recipe has it."""
    openhpc_sha256: str = ""
    """Of the package ohpc-release."""


@dataclass(frozen=True, kw_only=True)
class BuilderDefaults:
    """What holds for new builders."""

    engine: EngineKind | None = None
    mounts: tuple[Mount, ...] = ()
    """Folders that every builder shows, such as local repositories and the files that name them."""
    recipes: tuple[tuple[str, RecipeDefaults], ...] = ()
    """By the recipe's name."""

    def recipe(self, name: str) -> RecipeDefaults:
        """Return what is added to the recipe *name*."""
        return dict(self.recipes).get(name, RecipeDefaults())


@dataclass(frozen=True, kw_only=True)
class Site:
    """Places and defaults of this installation; docs/reference/configuration.md lists the keys."""

    state: Path
    """Cache, scratch space and journals."""
    prefix: Path
    """What nodes see: roots below `var/chroots`, the exported tree below `opt/ohpc/pub`."""
    qemu: Path | None
    """A static qemu-aarch64 that is preferred over what the distribution brings."""
    variables: tuple[tuple[str, str], ...]
    """Names that specs may use in `{{ }}`, such as `sms_ip`."""
    repositories: tuple[tuple[str, tuple[Repository, ...]], ...]
    """Package sources by distribution and release, such as `debian-12`."""
    mirrors: tuple[tuple[str, str], ...] = ()
    """Beginnings of addresses that distributions publish, and what stands in their place at this site."""
    tools: Path | None = None
    """A native root with package managers that this host lacks."""
    builders: BuilderDefaults = BuilderDefaults()
    ims: ImsAccess | None = None
    """How IMS is reached, None where the site has none."""
    offload: OffloadDefaults = field(default_factory=OffloadDefaults)
    slurm: SlurmDefaults = field(default_factory=SlurmDefaults)

    @property
    def roots(self) -> Path:
        """Where named roots live."""
        return self.prefix / "var/chroots"

    @property
    def exported(self) -> Path:
        """What builders install into and nodes mount."""
        return self.prefix / "opt/ohpc/pub"

    @property
    def cache(self) -> Path:
        """What may be deleted at any time while nothing runs, and is made again."""
        return self.state / "cache"

    @property
    def returned(self) -> Path:
        """Trees that other hosts made, as archives."""
        return self.cache / "returned"

    @property
    def work(self) -> Path:
        """Scratch folders of running builds."""
        return self.state / "work"
