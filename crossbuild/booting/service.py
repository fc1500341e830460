"""One boot: from prepared files to what the machine told, in bounded time, and with nothing left running."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossbuild.booting.console import Console, Mirror
from crossbuild.booting.dhcp import leases
from crossbuild.booting.machine import (
    CONSOLE,
    HOST,
    WEB_PORT,
    Emulator,
    Machine,
    machine_argv,
)
from crossbuild.booting.watching import Watch
from crossbuild.booting.ways import Prepared
from crossbuild.booting.web import Server
from crossbuild.host.command import Companion, beside
from crossbuild.machines.sandbox_init import die_with_parent
from crossbuild.model.boot import Observed, Stage, StageReached

ALWAYS = f"console={CONSOLE},115200 loglevel=7 printk.devkmsg=on panic=-1"
"""Behind what the image says, so that it counts: whatever happens can be read, and a panic is an end."""
GRACE = 2.0
"""Seconds in which a machine that failed may still say why."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one machine is run."""

    emulator: Emulator
    memory: int
    timeout: float
    log: Path
    on_stage: Callable[[StageReached], None] = lambda _stage: None
    mirror: Mirror | None = None


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a machine that was run told, and for how long it ran."""

    observed: Observed
    lines: tuple[str, ...]
    seconds: float


While = Callable[[Companion, Observed], None]
"""Receives the machine as soon as its probe has told everything, or as it has failed, while it runs."""


def run_machine(prepared: Prepared, run: Run, meanwhile: While = lambda _machine, _observed: None) -> Ran:
    """Start what is *prepared* in the network of a boot, watch it, and end it. Raises HostNotReadyError."""
    server = Server(prepared.files, (HOST, WEB_PORT))
    machine = Machine(
        kernel=prepared.kernel,
        initrd=prepared.initrd,
        arguments=f"{prepared.arguments} {ALWAYS}",
        memory=run.memory,
    )
    dying = functools.partial(die_with_parent, os.getpid())
    with beside(machine_argv(run.emulator, machine), before_exec=dying) as companion:
        console = Console(companion.output, run.log, run.mirror)
        watch = Watch(run.on_stage)
        server.on_request = lambda _path: watch.reached(Stage.FETCH, console.seconds())
        with leases(), server.serving():
            _watch(console, watch, run.timeout)
            seconds = console.seconds()
            meanwhile(companion, watch.observed)
    console.join()
    return Ran(observed=watch.observed, lines=watch.lines(), seconds=round(seconds, 2))


def _watch(console: Console, watch: Watch, timeout: float) -> None:
    """Read lines until nothing that could still come would change the verdict."""
    deadline = timeout
    while not watch.observed.ended:
        try:
            line = console.line(deadline - console.seconds())
        except TimeoutError:
            if not watch.observed.failure:
                watch.observed.failure = f"It was not up after {timeout:g} seconds."
            return
        if line is None:
            watch.observed.failure = watch.observed.failure or (
                "The machine ended without a word: it restarted or was switched off before it was up."
            )
            return
        watch.see(*line)
        if watch.observed.failure and deadline == timeout:
            deadline = console.seconds() + GRACE
