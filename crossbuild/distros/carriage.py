"""What a spec may not hold if another host is to build it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from crossbuild.errors import UsageError

ON_DISK = frozenset({"file", "dir", "copy", "cdrom"})
"""Schemes of addresses that mean a folder of this host."""


def refuse_unportable(uris: Iterable[str]) -> None:
    """Raise UsageError for an address that another host must not see, or that means nothing there."""
    for uri in uris:
        parts = urlsplit(uri)
        if parts.username or parts.password:
            raise UsageError(
                "The address of a package source holds a name or a password, which no node may get.",
                details=f"It is a source on {parts.hostname}.",
                resolution="Keep them elsewhere, such as in apt_auth.conf(5), or build with `--on local`.",
            )
        if parts.scheme in ON_DISK:
            raise UsageError(
                "A package source is a folder of this host, which no node can read.",
                details=uri,
                resolution="Serve it by HTTP, or build with `--on local`.",
            )
