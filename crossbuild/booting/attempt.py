"""One boot of one set in one way, from its files to a record."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from crossbuild.booting import ims, testing, warewulf3, warewulf4
from crossbuild.booting.attaching import attach, show
from crossbuild.booting.judging import judge
from crossbuild.booting.machine import CABLE, HOST, NETMASK, Emulator
from crossbuild.booting.probe import Handed, write_probe
from crossbuild.booting.pub import Sample, exported, sample_of
from crossbuild.booting.service import Ran, Run, run_machine
from crossbuild.booting.ways import BootJob, Prepared, Way
from crossbuild.errors import ArtifactError
from crossbuild.host.command import Companion
from crossbuild.host.own_network import own_network
from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.boot import (
    BootCheck,
    BootRecord,
    BootWish,
    CheckResult,
    Expected,
    Observed,
    StageReached,
    Verdict,
)

WAYS: dict[OutputKind, Way] = {
    OutputKind.WAREWULF3: warewulf3.prepare,
    OutputKind.WAREWULF4: warewulf4.prepare,
    OutputKind.IMS: ims.prepare,
}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What is booted, and how."""

    artifacts: ArtifactSet
    """Whole: somebody has read all of it."""
    expected: Expected
    way: OutputKind
    wish: BootWish
    emulator: Emulator
    exported: Path
    """The tree for nodes, which `wish.pub` asks to be mounted."""
    folder: Path
    """Scratch."""
    log: Path
    """Will hold all that the machine writes; it is there in any case afterwards."""
    on_stage: Callable[[StageReached], None]


def attempt(asked: Attempt) -> BootRecord:
    """Boot, and judge what came of it; everything has ended when this returns or raises.

    The digest of the set is not in the record yet. Raises CrossbuildError.
    """
    asked.log.touch()
    record = BootRecord(
        way=asked.way,
        verdict=Verdict.FAILED,
        reason=None,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        memory_bytes=asked.wish.memory,
        emulator=str(asked.emulator),
        image_digest="",
        stages=(),
        checks=(),
        console=f"{asked.way}.log",
    )
    sample = sample_of(asked.exported) if asked.wish.pub else None
    try:
        prepared = _prepare(asked, sample)
    except ArtifactError as error:
        return replace(record, reason=error.brief, lines=tuple(error.details.splitlines()))
    tests: list[BootCheck] = []
    ran = _run(asked, prepared, tests)
    record = replace(record, memory_bytes=asked.wish.memory or prepared.memory)
    return _judged(record, asked.expected, ran, (*_checks(asked, ran, sample), *tests))


def _prepare(asked: Attempt, sample: Sample | None) -> Prepared:
    handed = Handed(
        pub=(asked.exported, sample.name) if sample else None,
        keys=testing.make_keys(_keys(asked)) if asked.expected.tests else None,
        shell=asked.wish.shell,
    )
    kernel = asked.artifacts.record.get("kernel")
    job = BootJob(
        artifacts=asked.artifacts,
        folder=asked.folder,
        handed=write_probe(asked.folder, asked.expected, handed),
        arguments=str(kernel.get("args") or "") if isinstance(kernel, dict) else "",
    )
    return WAYS[asked.way](job)


def _run(asked: Attempt, prepared: Prepared, tests: list[BootCheck]) -> Ran:
    def meanwhile(machine: Companion, observed: Observed) -> None:
        if ("ssh", "listening") in observed.facts:
            tests.extend(testing.run_tests(asked.expected.tests, _keys(asked)))
        if asked.wish.shell:
            attach(machine)

    run = Run(
        emulator=asked.emulator,
        memory=asked.wish.memory or prepared.memory,
        timeout=asked.wish.timeout,
        log=asked.log,
        on_stage=asked.on_stage,
        mirror=show if asked.wish.shell else None,
    )
    with contextlib.ExitStack() as open_things:
        open_things.enter_context(own_network(CABLE, HOST, NETMASK))
        if asked.wish.pub:
            open_things.enter_context(exported(asked.exported, asked.folder))
        return run_machine(prepared, run, meanwhile)


def _keys(asked: Attempt) -> Path:
    return asked.folder / "keys"


def _checks(asked: Attempt, ran: Ran, sample: Sample | None) -> tuple[BootCheck, ...]:
    if not ran.observed.facts:
        return ()
    return judge(asked.expected, ran.observed.facts, pub_digest=sample.sha256 if sample else None)


def _judged(record: BootRecord, expected: Expected, ran: Ran, checks: tuple[BootCheck, ...]) -> BootRecord:
    untested = expected.tests and ran.observed.ended and ("ssh", "listening") not in ran.observed.facts
    if untested:
        said = next((value for word, value in ran.observed.facts if word == "ssh"), "")
        found = f"the machine has no SSH server: {said.removeprefix('none').strip() or 'no sshd'}"
        checks += (BootCheck(check="tests", result=CheckResult.FAILED, found=found),)
    failed = [check.check for check in checks if check.result is CheckResult.FAILED]
    reason: str | None = ran.observed.failure or None
    if reason is None and failed:
        reason = f"What was checked is not right: {', '.join(failed)}."
    elif reason is None and not checks:
        reason = "The machine told nothing of itself."
    return replace(
        record,
        verdict=Verdict.FAILED if reason else Verdict.BOOTED,
        reason=reason,
        seconds=ran.seconds,
        stages=tuple(ran.observed.stages),
        checks=checks,
        lines=ran.lines if reason else (),
    )
