"""What a build asks of a package manager, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from crossbuild.errors import CommandFailedError, CrossbuildError
from crossbuild.model.plan import PinnedPackage, Resolution
from crossbuild.model.spec import ImageSpec


class Session(Protocol):
    """The sources of one build: fetched before it, fixed while it runs."""

    def update(self) -> None:
        """Fetch what changed of the sources; raise a CrossbuildError that says what is wrong with them."""

    def sources_digest(self) -> str:
        """Return a digest of what the sources publish: it changes whenever one of them does."""

    def epoch(self) -> int:
        """Return SOURCE_DATE_EPOCH: from the environment, else when the newest source was published."""

    def resolve(self) -> Resolution:
        """Return what would be installed on the base; raise SpecError for a package that cannot be."""

    def closure(self, packages: Sequence[str]) -> tuple[PinnedPackage, ...]:
        """Return *packages* and all that they depend on, at the versions that the sources have now."""

    def unpack(self, packages: Sequence[str], folder: Path) -> dict[str, Path]:
        """Fetch *packages*, a closure, and unpack each into a folder of its own below *folder*."""

    def stage(self, work: Path, root: Path, /) -> None:
        """Put into *work* what the package manager needs while it installs into *root*."""

    def portable(self) -> ImageSpec:
        """Return the spec without what only this host has; raise UsageError where that cannot be."""

    def hand_over(self, folder: Path, resolution: Resolution, /) -> None:
        """Put into the new *folder* all that another host needs to install *resolution* as this one would."""

    def take_over(self, folder: Path, /) -> None:
        """Have for this session's sources what `hand_over` put into *folder* on another host."""

    def harvest(self, work: Path) -> None:
        """Keep for other builds what was downloaded into *work* and verified."""

    def explain(self, error: CommandFailedError) -> CrossbuildError:
        """Return the error that a user should see where a program of this build failed."""

    def handled(self, line: str) -> str | None:
        """Return the package of which a line of output says that it came on: twice for each package."""

    def alarms(self, line: str) -> bool:
        """Tell whether a line of output says that something failed, however the program ended."""
