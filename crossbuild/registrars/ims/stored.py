"""What S3 says of what it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """What S3 says of an object."""

    size: int
    etag: str
    md5: str
    """As its metadata `md5sum` says, which IMS jobs compare their downloads with; empty without."""
    encrypted: bool
    """Whether S3 encrypts it: then its etag is no checksum of what was sent."""


@dataclass(frozen=True, kw_only=True)
class StoredPart:
    """A part of an upload that is not finished."""

    size: int
    etag: str
