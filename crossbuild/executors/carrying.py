"""Layers on one root, one after the other, from the newest tree that was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from crossbuild.distros.session import Session
from crossbuild.errors import CommandFailedError
from crossbuild.executors.finishing import mark_made
from crossbuild.executors.layer_cache import LayerCache
from crossbuild.executors.local import LocalExecutor
from crossbuild.model.plan import Layer


class Teller(Protocol):
    """Who hears what happens."""

    def phase(self, key: str, *, cached: bool = False) -> AbstractContextManager[None]:
        """Run the block as that phase; *cached* says that an earlier result serves."""

    def packages(self, total: int, handled: Callable[[str], str | None]) -> Callable[[str], None]:
        """Return a sink for lines of output that also counts packages."""


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Carries out layers on one root."""

    session: Session
    cache: LayerCache
    teller: Teller
    noteworthy: Callable[[str], bool] = lambda _line: False
    """Tells lines of output that belong in the error if a step fails."""
    on_kept: Callable[[Layer], None] = lambda _layer: None
    """Is told when the root is as the tree that the cache has of that layer."""

    def carry_out(self, layers: Sequence[Layer], executor: LocalExecutor) -> None:
        """Make the root, and keep trees of layers; raise CommandFailedError at the first step that fails."""
        kept = [index for index, layer in enumerate(layers) if self.cache.has(layer)]
        start = kept[-1] if kept else -1
        for index, layer in enumerate(layers):
            with self.teller.phase(layer.key, cached=index <= start):
                if index == start:
                    self.cache.restore(layer, executor.root)
                    self.on_kept(layer)
                elif index > start:
                    self._install(layer, executor)
                    self.session.harvest(executor.work)
                    if layer.kept:
                        mark_made(executor.root, executor.epoch)
                        self.cache.keep(layer, executor.root)
                        self.on_kept(layer)

    def _install(self, layer: Layer, executor: LocalExecutor) -> None:
        """Carry out *layer*; raise CommandFailedError also where only the output tells a failure."""
        told: list[str] = []
        noted: list[str] = []
        sink = self.teller.packages(layer.packages, self.session.handled)

        def hear(line: str) -> None:
            sink(line)
            if layer.packages and self.session.alarms(line):
                told.append(line)
            elif self.noteworthy(line):
                noted.append(line)

        try:
            executor.run(layer, hear)
        except CommandFailedError as error:
            error.details = "\n".join([*noted, *told, error.details])
            raise
        if told:
            raise CommandFailedError(
                "Packages were not installed completely.", status=0, details="\n".join(told)
            )
