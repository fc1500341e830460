"""Recipes of kiwi-ng, from which IMS itself builds images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossbuild.errors import CrossbuildError, ProvisionerError
from crossbuild.model.architecture import Architecture
from crossbuild.registrars.ims.gateway import Gateway
from crossbuild.registrars.ims.images import ID, Link
from crossbuild.registrars.ims.recipe_archive import archive_of
from crossbuild.registrars.ims.service import refuse_name

if TYPE_CHECKING:
    from crossbuild.registrars.ims.bucket import Bucket

TYPE = "kiwi-ng"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What becomes a recipe of IMS."""

    name: str
    source: Path
    """A folder with `config.xml`, or an archive of one."""
    distribution: str
    arch: Architecture
    dkms: bool
    """Whether its jobs may load kernel modules; IMS insists on it for aarch64."""
    values: tuple[tuple[str, str], ...]
    """For the recipe's template files."""

    @property
    def body(self) -> dict[str, object]:
        """The record, as IMS takes it."""
        return {
            "name": self.name,
            "recipe_type": TYPE,
            "linux_distribution": self.distribution,
            "arch": self.arch.value,
            "require_dkms": self.dkms,
            # A list: IMS refuses a mapping.
            "template_dictionary": [{"key": key, "value": value} for key, value in self.values],
        }


@dataclass(frozen=True, kw_only=True)
class UploadedRecipe:
    """A recipe as IMS and S3 tell it."""

    id: str
    name: str
    arch: str
    require_dkms: bool
    link: Link
    md5: str


class Recipes:
    """The recipes of one IMS."""

    def __init__(self, gateway: Gateway, api: str, bucket: Bucket) -> None:
        self._gateway = gateway
        self._api = api
        self._url = f"{api}/v3/recipes"
        self._bucket = bucket

    def upload(self, recipe: Recipe) -> UploadedRecipe:
        """Make the record, upload the archive, link it, and read both back; on failure, nothing stays."""
        body = archive_of(recipe.source, templated=bool(recipe.values))
        self._refuse_taken(recipe)
        self._bucket.check()
        record = _record(self._gateway.post(self._url, recipe.body))
        key = f"recipes/{record['id']}/recipe.tar.gz"
        try:
            link = self._send(key, body)
            self._gateway.patch(f"{self._url}/{record['id']}", {"link": link.body})
            return self._read_back(recipe, str(record["id"]), link)
        except BaseException as error:
            self._take_back(str(record["id"]), key, error)
            raise

    def _refuse_taken(self, recipe: Recipe) -> None:
        refuse_name(recipe.name, "a recipe")
        found = self._gateway.get(self._url)
        names = [item.get("name") for item in (found if isinstance(found, list) else [])]
        if recipe.name in names:
            raise ProvisionerError(
                f"IMS has a recipe {recipe.name} already.",
                resolution="Give this one another name with `--name`, or delete the other one first.",
            )

    def _send(self, key: str, body: bytes) -> Link:
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self._bucket.put(key, body, {"md5sum": md5})
        found = self._bucket.find(key)
        if found is None or (found.size, found.md5) != (len(body), md5):
            raise ProvisionerError(f"{self._bucket.url(key)} is not as it was sent.", details=f"{found}")
        return Link(path=self._bucket.url(key), etag=found.etag)

    def _read_back(self, recipe: Recipe, recipe_id: str, link: Link) -> UploadedRecipe:
        record = _record(self._gateway.get(f"{self._url}/{recipe_id}"))
        wanted = {**recipe.body, "link": link.body}
        other = {key: record.get(key) for key in wanted if record.get(key) != wanted[key]}
        if other:
            raise ProvisionerError(
                f"{self._url}/{recipe_id} is not as it was sent.", details=f"IMS says: {other}"
            )
        found = self._bucket.find(link.path.removeprefix(self._bucket.url("")))
        return UploadedRecipe(
            id=recipe_id,
            name=recipe.name,
            arch=str(record["arch"]),
            require_dkms=bool(record["require_dkms"]),
            link=link,
            md5=found.md5 if found else "",
        )

    def _take_back(self, recipe_id: str, key: str, error: BaseException) -> None:
        try:
            for known in (key, f"deleted/{key}"):
                self._bucket.delete(known)
            self._gateway.delete(f"{self._url}/{recipe_id}")
            self._gateway.delete(f"{self._api}/v3/deleted/recipes/{recipe_id}")
        except CrossbuildError as second:
            if isinstance(error, CrossbuildError):
                error.details = (
                    f"{error.details}\nThe recipe {recipe_id} stays behind: {second.brief}".strip()
                )


def _record(value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not ID.fullmatch(str(value.get("id"))):
        raise ProvisionerError("IMS answered with something that is no recipe.", details=str(value)[:300])
    return value
