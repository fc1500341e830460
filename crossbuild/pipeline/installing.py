"""Carries out the layers of a plan, on the newest tree that the cache has; once more where qemu crashed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from crossbuild.distros.session import Session
from crossbuild.errors import CommandFailedError
from crossbuild.executors.layer_cache import LayerCache
from crossbuild.executors.local import LocalExecutor
from crossbuild.machines.tools import ToolsRoot
from crossbuild.model.plan import ExecutorKind, Layer, Plan
from crossbuild.model.site import Site
from crossbuild.pipeline.crashes import is_crash, second_emulator
from crossbuild.pipeline.importing import importer
from crossbuild.pipeline.narrator import Narrator
from crossbuild.pipeline.tools import choose_programs


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run of the pipeline works with."""

    site: Site
    session: Session
    narrator: Narrator
    emulator_only: bool


def carry_out(plan: Plan, run: Run, root: Path, work: Path) -> None:
    """Carry out *plan* in the new folder *root*; where qemu crashed, once more with another one.

    Raises CrossbuildError.
    """
    base, programs = importer(plan.spec), choose_programs(plan.spec, run.site)
    tools = programs if isinstance(programs, ToolsRoot) else None
    executor = LocalExecutor(plan, root=root, work=work, import_base=base, tools=tools)
    try:
        _carry_out(plan, run, executor, root)
    except CommandFailedError as error:
        emulated = plan.executor.kind is ExecutorKind.HYBRID
        second = second_emulator(error, run.site, work, run.narrator) if emulated else None
        if second is None:
            raise
        shutil.rmtree(root, ignore_errors=True)
        executor = LocalExecutor(plan, root=root, work=work, import_base=base, tools=tools, handler=second)
        _carry_out(plan, run, executor, root)


def _carry_out(plan: Plan, run: Run, executor: LocalExecutor, root: Path) -> None:
    cache = LayerCache(run.site.cache / "layers", run.narrator.notice)
    kept = [index for index, layer in enumerate(plan.layers) if cache.has(layer)]
    start = kept[-1] if kept else -1
    for index, layer in enumerate(plan.layers):
        with run.narrator.phase(layer.key, cached=index <= start):
            if index == start:
                cache.restore(layer, root)
            elif index > start:
                _install(layer, executor, run)
                run.session.harvest(executor.work)
                if layer.kept:
                    cache.keep(layer, root)


def _install(layer: Layer, executor: LocalExecutor, run: Run) -> None:
    """Carry out the steps of *layer*; raise CommandFailedError also where only the output tells a failure."""
    told: list[str] = []
    crashes: list[str] = []
    sink = run.narrator.packages(layer.packages, run.session.handled)

    def hear(line: str) -> None:
        sink(line)
        if layer.packages and run.session.alarms(line):
            told.append(line)
        elif is_crash(line):
            crashes.append(line)

    try:
        executor.run(layer, hear)
    except CommandFailedError as error:
        error.details = "\n".join([*crashes, *told, error.details])
        raise
    if told:
        raise CommandFailedError("Packages were not installed completely.", status=0, details="\n".join(told))
