"""What holds for every build of one site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.spec import Repository


@dataclass(frozen=True, kw_only=True)
class Site:
    """Places and defaults of this installation; docs/reference/configuration.md lists the keys."""

    state: Path
    """Cache, scratch space and journals."""
    prefix: Path
    """What nodes see: roots below `var/chroots`, the exported tree below `opt/ohpc/pub`."""
    qemu: Path | None
    """A static qemu-aarch64 that is preferred over what the distribution brings."""
    variables: tuple[tuple[str, str], ...]
    """Names that specs may use in `{{ }}`, such as `sms_ip`."""
    repositories: tuple[tuple[str, tuple[Repository, ...]], ...]
    """Package sources by distribution and release, such as `debian-12`."""
    mirrors: tuple[tuple[str, str], ...] = ()
    """Beginnings of addresses that distributions publish, and what stands in their place at this site."""

    @property
    def roots(self) -> Path:
        """Where named roots live."""
        return self.prefix / "var/chroots"

    @property
    def exported(self) -> Path:
        """What builders install into and nodes mount."""
        return self.prefix / "opt/ohpc/pub"

    @property
    def cache(self) -> Path:
        """What may be deleted at any time while nothing runs, and is made again."""
        return self.state / "cache"

    @property
    def work(self) -> Path:
        """Scratch folders of running builds."""
        return self.state / "work"
