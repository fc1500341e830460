"""HPE's Image Management Service: the words of its manifests, and how a site reaches it.

Manifests: Cray-HPE/ims-python-helper (version 1.0, MIME types). BOS wants exactly one artifact of each type,
named exactly so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MANIFEST_VERSION = "1.0"
ROOTFS_TYPE = "application/vnd.cray.image.rootfs.squashfs"
TYPES = {
    "rootfs": ROOTFS_TYPE,
    "kernel": "application/vnd.cray.image.kernel",
    "initrd": "application/vnd.cray.image.initrd",
    "boot_parameters": "application/vnd.cray.image.parameters.boot",
}
"""MIME type of each file by its name, which is also its key below the image's id."""
MANIFEST = "manifest.json"
LINK_TYPE = "s3"
RECIPE_DISTRIBUTIONS = ("sles12", "sles15", "centos7")
"""What a recipe may install; IMS knows no others."""


def created_text(epoch: int) -> str:
    """Return *epoch* as manifests say when an image was made."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, kw_only=True)
class ImsAccess:
    """How a site reaches IMS; docs/reference/configuration.md lists the keys. Secrets stay in their files."""

    api: str
    """URL of IMS, to which `/v3/images` is added."""
    gateway: str
    """URL below which the other services are: `/bos`, `/cfs`, `/smd`."""
    token_endpoint: str
    """Where a token is got; empty where IMS wants none."""
    client_id: str
    client_secret_file: Path | None
    ca_bundle: Path | None
    """Certificates that IMS and S3 are checked against; None for those that this host's Python trusts."""
    s3_endpoint: str
    s3_credentials_file: Path
    """An AWS credentials file whose profile `default` counts."""
    bucket: str
    recipe_bucket: str
    timeout: int
    """Seconds that a service may stay silent."""
