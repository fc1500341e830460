"""A repository that tests use, and how package managers are told about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.integration.rpm_distribution.table import Like


@dataclass(frozen=True, kw_only=True)
class MadeRepository:
    """Signed packages and signed metadata in a folder."""

    path: Path
    key: Path
    """The armoured public key that signed both."""
    like: Like
    arch: Architecture

    @property
    def url(self) -> str:
        """What goes after `baseurl=`."""
        return f"file://{self.path}"

    @property
    def fingerprint(self) -> str:
        """Of the key, as gpg spells it."""
        argv = ["gpg", "--with-colons", "--import-options", "show-only", "--import", str(self.key)]
        lines = capture(argv).stdout.splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def section(self, name: str) -> str:
        """Return the section of a `.repo` file that names it, with every signature checked."""
        return (
            f"[{name}]\nname={name}\nbaseurl={self.url}\nenabled=1\n"
            f"gpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://{self.key}\n"
        )
