"""What is done to IMS and its S3, one request each, as values that a person can read first."""

from __future__ import annotations

import json
from dataclasses import dataclass

from crossbuild.model.architecture import Architecture
from crossbuild.model.ims import MANIFEST
from crossbuild.registrars.ims.content import ImageFile
from crossbuild.registrars.ims.images import Link

UNKNOWN_ID = "IMAGE_ID"
"""Stands for the id that IMS gives out."""


@dataclass(frozen=True, kw_only=True)
class CreateRecord:
    """Make the image's record."""

    url: str
    name: str
    arch: Architecture
    reason: str = (
        "IMS gives out the id that keys in S3 begin with, and takes an image without arch for x86_64."
    )

    @property
    def text(self) -> str:
        """The request."""
        return f"POST {self.url} {json.dumps({'name': self.name, 'arch': self.arch.value})}"


@dataclass(frozen=True, kw_only=True)
class SendFile:
    """Put a file of the set into S3, below the URL *folder*."""

    file: ImageFile
    folder: str
    reason: str = "Nodes read it from there; parts that arrived earlier are not sent again."

    @property
    def text(self) -> str:
        """The request."""
        digests = self.file.digests
        return f"PUT {self.folder}{self.file.name} ({digests.size} bytes, md5 {digests.md5})"


@dataclass(frozen=True, kw_only=True)
class SendManifest:
    """Put the manifest, with the etags that S3 gave, beside the files."""

    folder: str
    created: str
    """The manifest's word for when the image was made."""
    reason: str = "It lists the files; it is checked by the rules of IMS and BOS before."

    @property
    def text(self) -> str:
        """The request."""
        return f"PUT {self.folder}{MANIFEST}"


@dataclass(frozen=True, kw_only=True)
class LinkImage:
    """Give the record its manifest, and read everything back."""

    url: str
    link: Link
    """Its etag is what S3 gives the manifest."""
    reason: str = "IMS then knows where the image lies. A link cannot be changed later."

    @property
    def text(self) -> str:
        """The request."""
        return f"PATCH {self.url} {json.dumps({'link': self.link.body})}"


@dataclass(frozen=True, kw_only=True)
class AbortUploads:
    """Throw away what unfinished uploads have left."""

    folder: str
    reason: str = "Parts of uploads that nobody finishes take space for ever."

    @property
    def text(self) -> str:
        """The request."""
        return f"DELETE {self.folder}*?uploadId=*"


@dataclass(frozen=True, kw_only=True)
class DeleteRecord:
    """Delete the image so that it could be had back."""

    url: str
    reason: str = "IMS moves its objects below `deleted/`."

    @property
    def text(self) -> str:
        """The request."""
        return f"DELETE {self.url}"


@dataclass(frozen=True, kw_only=True)
class DeleteForGood:
    """Delete the deleted image."""

    url: str
    reason: str = "IMS deletes the record and its objects for good."

    @property
    def text(self) -> str:
        """The request."""
        return f"DELETE {self.url}"


@dataclass(frozen=True, kw_only=True)
class DeleteObjects:
    """Delete what is left in the image's folder."""

    folder: str
    reason: str = "IMS deletes only what a linked manifest lists."

    @property
    def text(self) -> str:
        """The request."""
        return f"DELETE {self.folder}*"
