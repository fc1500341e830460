"""Image records of IMS (REST API v3)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossbuild.errors import ProvisionerError
from crossbuild.model.architecture import Architecture
from crossbuild.model.ims import LINK_TYPE
from crossbuild.registrars.ims.gateway import Gateway

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""IMS makes ids with uuid4. One is a prefix below which objects are deleted, so nothing else will do."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where the manifest of an image lies."""

    path: str
    etag: str

    @property
    def body(self) -> dict[str, str]:
        """As IMS takes it, always with an etag: without one, the same link is a conflict after a restart."""
        return {"path": self.path, "etag": self.etag, "type": LINK_TYPE}


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """An image as IMS tells it."""

    id: str
    name: str
    arch: str
    created: str
    link: Link | None


class Images:
    """The image records of one IMS. Names are not unique there, and cannot be changed."""

    def __init__(self, gateway: Gateway, api: str) -> None:
        self._gateway = gateway
        self._api = api

    @property
    def url(self) -> str:
        """Where the records are."""
        return f"{self._api}/v3/images"

    def deleted_url(self, image_id: str) -> str:
        """Return where the record of a deleted image is."""
        return f"{self._api}/v3/deleted/images/{image_id}"

    def version(self) -> str:
        """Return what IMS says of its version, empty where it does not: some gateways hide it."""
        with contextlib.suppress(ProvisionerError):
            found = self._gateway.find(f"{self._api}/version")
            return str(found.get("version", "")) if isinstance(found, dict) else ""
        return ""

    def all(self) -> tuple[ImageRecord, ...]:
        """Return all of them: IMS has no filter."""
        found = self._gateway.get(self.url)
        if not isinstance(found, list):
            raise _strange(self.url, found)
        return tuple(_parsed(self.url, item) for item in found)

    def chosen(self, ids: Sequence[str], arch: str | None) -> tuple[ImageRecord, ...]:
        """Return the images with these *ids*, or all, that are for *arch*, or any; refuse unknown ids."""
        found = self.all()
        unknown = set(ids) - {record.id for record in found}
        if unknown:
            raise ProvisionerError(f"IMS has no image {', '.join(sorted(unknown))}.")
        return tuple(
            record for record in found if (not ids or record.id in ids) and arch in {None, record.arch}
        )

    def find(self, image_id: str) -> ImageRecord | None:
        """Return the image, None where there is none or it was deleted."""
        found = self._gateway.find(f"{self.url}/{image_id}")
        return None if found is None else _parsed(self.url, found)

    def is_deleted(self, image_id: str) -> bool:
        """Say whether the image is among those that were deleted and can still be had back."""
        return self._gateway.find(self.deleted_url(image_id)) is not None

    def create(self, name: str, arch: Architecture) -> ImageRecord:
        """Make a record without a link, its architecture stated: IMS takes x86_64 for granted."""
        return _parsed(self.url, self._gateway.post(self.url, {"name": name, "arch": arch.value}))

    def link(self, image_id: str, link: Link) -> ImageRecord:
        """Give the image its manifest; the same link twice changes nothing."""
        found = self._gateway.patch(f"{self.url}/{image_id}", {"link": link.body})
        return _parsed(self.url, found)

    def delete(self, image_id: str) -> None:
        """Delete the image so that it can be had back: IMS moves its objects below `deleted/`."""
        self._gateway.delete(f"{self.url}/{image_id}")

    def delete_for_good(self, image_id: str) -> None:
        """Delete the deleted image with its objects."""
        self._gateway.delete(self.deleted_url(image_id))


def _parsed(url: str, value: object) -> ImageRecord:
    try:
        assert isinstance(value, dict)
        link = value.get("link")
        return ImageRecord(
            id=_id(value["id"]),
            name=str(value["name"]),
            # Versions of IMS that know no architecture have x86_64 images only.
            arch=str(value.get("arch", Architecture.X86_64)),
            created=str(value.get("created", "")),
            link=Link(path=str(link["path"]), etag=str(link.get("etag") or "")) if link else None,
        )
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise _strange(url, value) from error


def _id(value: object) -> str:
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise ValueError("no id")
    return value


def _strange(url: str, value: object) -> ProvisionerError:
    return ProvisionerError(
        f"{url} answered with something that is no image record.",
        details=str(value)[:300],
        resolution="Check that `api` under `provisioners.ims` is the address of IMS.",
    )
