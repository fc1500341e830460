"""A native root whose programs do what this host has none for, such as dnf on a host without dnf.

What they work on is shown in it at the same places as on the host, so that a command line means the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.machines.environment import PATH_INSIDE
from crossbuild.machines.sandbox import Bind, Sandbox
from crossbuild.model.host import Handler

FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
API = ("proc", "sys", "dev", "run")


@dataclass(frozen=True, kw_only=True)
class ToolsRoot:
    """The programs of the native root *root*."""

    root: Path
    reason: str
    writable: tuple[Path, ...]
    """Folders of this host that they may change."""
    shown: tuple[Path, ...]
    """Folders of this host that they may read, such as local repositories."""

    def has(self, program: str) -> bool:
        """Say whether *program* is in one of its folders."""
        return any(os.path.lexists(self.root / folder / program) for folder in FOLDERS)

    def argv(self, words: Sequence[str]) -> list[str]:
        """Return the command line that runs *words* in it, with the host's network."""
        # The host's PATH means nothing there.
        there = ["/usr/bin/env", f"PATH={PATH_INSIDE}", *words]
        return Sandbox(root=self.root, pivot=True, binds=self._binds(self.writable)).argv(there)

    def sandbox(
        self,
        target: Path,
        work: Path,
        binds: tuple[Bind, ...],
        *,
        bare: bool,
        hostname: str,
        handler: Handler | None,
    ) -> Sandbox:
        """Return the sandbox for a step that works on the root *target*, in which *binds* are shown.

        *work* is the folder of all scratch, in which *target* lies. Unless it is *bare*, *target* has the
        same /proc, /sys, /dev and /run as the tools.
        """
        # By now the sandbox has made its own in the root of tools.
        api = () if bare else tuple(Bind(source=self.root / name, target=target / name) for name in API)
        return Sandbox(
            root=self.root,
            pivot=True,
            binds=tuple(
                Bind(source=bind.source, target=self._inside(bind.target), read_only=bind.read_only)
                for bind in (Bind(source=work, target=work), *api, *binds)
            )
            + self._binds(()),
            hostname=hostname,
            network=False,
            handler=handler,
        )

    def _binds(self, writable: Sequence[Path]) -> tuple[Bind, ...]:
        return (
            *(Bind(source=path, target=self._inside(path)) for path in writable),
            *(Bind(source=path, target=self._inside(path), read_only=True) for path in self.shown),
        )

    def _inside(self, path: Path) -> Path:
        return self.root / path.relative_to("/")
