"""The keys of a site's configuration; docs/reference/configuration.md explains each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from crossbuild.config.schema import RepositorySection
from crossbuild.config.values import (
    AbsolutePath,
    BucketName,
    ImageName,
    MountText,
    Section,
    SlurmOption,
    SlurmWord,
    Url,
    Word,
)
from crossbuild.distros.builder_images import RECIPES
from crossbuild.model.builder import PUB_INSIDE, ROOTS_INSIDE, EngineKind, Mount
from crossbuild.model.offload import AUTO, PATIENCE, Fallback

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _recipe(value: str) -> str:
    known = [recipe.name for recipe in RECIPES]
    if value not in known:
        raise ValueError(f"{value!r} is no builder image; known are {', '.join(known)}")
    return value


RecipeName = Annotated[str, AfterValidator(_recipe)]


class RecipeSection(Section):
    """An entry of `builders.recipes`."""

    base_image: Word = ""
    repositories: AbsolutePath | None = None
    openhpc: bool = True
    openhpc_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class BuildersSection(Section):
    """`builders:` of the site's configuration."""

    engine: Annotated[EngineKind, Field(strict=False)] | None = None
    mounts: list[MountText] = []
    recipes: dict[RecipeName, RecipeSection] = {}

    @model_validator(mode="after")
    def _each_place_shows_one_folder(self) -> Self:
        places = [Mount.parse(text).target for text in self.mounts]
        twice = {place for place in places if places.count(place) > 1 or place in {PUB_INSIDE, ROOTS_INSIDE}}
        if twice:
            raise ValueError(f"`mounts` shows more than one folder at {min(twice)}")
        return self


class ImsSection(Section):
    """`provisioners.ims:`."""

    api: Url
    gateway: Url | None = None
    token_endpoint: Url | None = None
    client_id: Word | None = None
    client_secret_file: AbsolutePath | None = None
    ca_bundle: AbsolutePath | None = None
    s3_endpoint: Url
    s3_credentials_file: AbsolutePath
    bucket: BucketName = "boot-images"
    recipe_bucket: BucketName = "ims"
    timeout: int = Field(default=120, ge=1)

    @model_validator(mode="after")
    def _tokens_need_a_client(self) -> Self:
        parts = (self.token_endpoint, self.client_id, self.client_secret_file)
        if any(parts) and not all(parts):
            raise ValueError("`token_endpoint`, `client_id` and `client_secret_file` belong together")
        return self

    @model_validator(mode="after")
    def _secrets_travel_encrypted(self) -> Self:
        # A token and the secret that gets it can be read on the way; requests to S3 are signed instead.
        for url in filter(None, (self.token_endpoint, self.api, self.gateway) if self.token_endpoint else ()):
            found = urlsplit(url)
            if found.scheme == "http" and found.hostname not in LOOPBACK:
                raise ValueError(f"{url} would show the token to the network: it must begin with https://")
        return self


class ProvisionersSection(Section):
    """`provisioners:`."""

    ims: ImsSection | None = None


class OffloadSection(Section):
    """`offload:`."""

    to: ImageName = AUTO
    fallback: Annotated[Fallback, Field(strict=False)] = Fallback.QUEUE
    patience: int = Field(default=PATIENCE, ge=0)


class SlurmSection(Section):
    """`slurm:`."""

    folder: AbsolutePath | None = None
    partition: SlurmWord = ""
    constraint: SlurmWord = ""
    account: SlurmWord = ""
    time: SlurmWord = ""
    options: list[SlurmOption] = []


class SiteFile(Section):
    """`/etc/crossbuild/config.yaml`."""

    state: Annotated[Path, Field(strict=False)] | None = None
    prefix: Annotated[Path, Field(strict=False)] | None = None
    qemu: Annotated[Path, Field(strict=False)] | None = None
    tools: Annotated[Path, Field(strict=False)] | None = None
    variables: dict[str, str] = {}
    repositories: dict[str, list[RepositorySection]] = {}
    mirrors: dict[Word, Word] = {}
    builders: BuildersSection = BuildersSection()
    provisioners: ProvisionersSection = ProvisionersSection()
    offload: OffloadSection = OffloadSection()
    slurm: SlurmSection = SlurmSection()
