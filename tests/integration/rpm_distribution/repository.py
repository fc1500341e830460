"""A repository that tests use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.bad import Bad
from tests.integration.rpm_distribution.table import Like


@dataclass(frozen=True, kw_only=True)
class MadeRepository:
    """Signed packages and signed metadata in a folder."""

    path: Path
    key: Path
    """The armoured public key that signed both."""
    like: Like
    arch: Architecture

    def wrong(self, bad: Bad) -> MadeRepository:
        """Return the repository beside this one that is wrong in that way."""
        return replace(self, path=self.path.parents[1] / "bad" / bad)

    @property
    def fingerprint(self) -> str:
        """Of the key, as gpg spells it."""
        argv = ["gpg", "--with-colons", "--import-options", "show-only", "--import", str(self.key)]
        lines = capture(argv).stdout.splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))
