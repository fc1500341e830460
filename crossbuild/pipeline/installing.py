"""Carries out the layers of a plan, on the newest tree that the cache has; once more where qemu crashed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from crossbuild.distros.session import Session
from crossbuild.errors import CommandFailedError
from crossbuild.executors.carrying import Carrier
from crossbuild.executors.layer_cache import LayerCache
from crossbuild.executors.local import LocalExecutor
from crossbuild.machines.tools import ToolsRoot
from crossbuild.model.plan import ExecutorKind, Plan
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
    epoch = plan.resolution.epoch
    carrier = Carrier(
        session=run.session,
        cache=LayerCache(run.site.cache / "layers", run.narrator.notice),
        teller=run.narrator,
        noteworthy=is_crash,
    )
    executor = LocalExecutor(epoch, root=root, work=work, import_base=base, tools=tools)
    try:
        carrier.carry_out(plan.layers, executor)
    except CommandFailedError as error:
        emulated = plan.executor.kind is ExecutorKind.HYBRID
        second = second_emulator(error, run.site, work, run.narrator) if emulated else None
        if second is None:
            raise
        shutil.rmtree(root, ignore_errors=True)
        executor = LocalExecutor(epoch, root=root, work=work, import_base=base, tools=tools, handler=second)
        carrier.carry_out(plan.layers, executor)
