"""Folders that bootstraps left under another architecture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crossbuild.registrars.actions import Remove
from crossbuild.registrars.warewulf3.server import Server
from crossbuild.registrars.warewulf3.wwsh import StoredObject


def stale_folders(server: Server, bootstraps: Iterable[StoredObject]) -> Iterator[Remove]:
    """Yield each folder that a bootstrap has under an architecture that it no longer is of."""
    for bootstrap in bootstraps:
        if not bootstrap.id.isdecimal() or not bootstrap.arch:
            continue
        for folder in sorted((server.warewulf / "bootstrap").glob(f"*/{bootstrap.id}")):
            if folder.parent.name != bootstrap.arch:
                reason = (
                    f"The bootstrap {bootstrap.name} is an {bootstrap.arch} one: nothing reads this any more."
                )
                yield Remove(path=folder, reason=reason)
