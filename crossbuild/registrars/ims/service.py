"""How this site reaches IMS, its S3 and the services around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossbuild.errors import HostNotReadyError, ProvisionerError, SpecError
from crossbuild.model.ims import ImsAccess
from crossbuild.model.site import Site
from crossbuild.model.spec import is_name

if TYPE_CHECKING:
    from crossbuild.registrars.ims.bucket import Bucket


def access_of(site: Site) -> ImsAccess:
    """Return how *site* reaches IMS; raise SpecError where its configuration does not say."""
    if site.ims is None:
        raise SpecError(
            "The configuration does not say where IMS is.",
            details="It has no section `provisioners.ims`.",
            resolution="Add one; docs/how-to/ims.md has an example.",
        )
    return site.ims


def open_bucket(access: ImsAccess, name: str) -> Bucket:
    """Return the bucket of that name; raise HostNotReadyError without boto3."""
    try:
        from crossbuild.registrars.ims.bucket import Bucket
    except ModuleNotFoundError as error:
        raise HostNotReadyError(
            "IMS keeps images in S3, and boto3, which speaks with it, is not installed.",
            details=str(error),
            resolution="Run `pip install 'crossbuild[ims]'`.",
        ) from error
    return Bucket(access, name)


def refuse_name(name: str, what: str) -> None:
    """Raise ProvisionerError for a *name* of *what* that makes no sense: IMS itself would take anything."""
    if not is_name(name):
        raise ProvisionerError(
            f"{name!r} is no name for {what} in IMS.",
            details="It must be 1 to 64 letters, digits, `_`, `.` or `-`, and begin with a letter or digit.",
            resolution="Give it another one with `--name`.",
        )
