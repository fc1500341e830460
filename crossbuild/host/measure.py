"""Measures every qemu of this host, and the handler in use: the time of starts and of work, and its answers.

Each qemu is started directly, so that no handler is needed and nothing is changed. Times are processor time:
where the time that passes triples because other programs run, this hardly changes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import signal
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CommandFailedError, CrossbuildError, HostNotReadyError
from crossbuild.host.binfmt import first_asked
from crossbuild.host.checks.emulation import ODD_ARGV, probe_folder
from crossbuild.host.command import CommandResult, capture
from crossbuild.host.interpreter import holds_emulator
from crossbuild.host.probe import PROGRAM_NAME, SOURCE, Outcome, parse_outcome, programs_in
from crossbuild.host.qemu import Emulator, preserves_argv0
from crossbuild.host.trials import LAST_SIGNAL, QUESTIONS, asking, computing, starting
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts

STARTS, COMPUTATIONS = 15, 9
"""How often each program is timed; the median counts."""
LIMIT = 20
"""Seconds after which a program that takes a fraction of one is killed."""

_ASKING, _STARTING, _COMPUTING = "asking", "starting", "computing"


@dataclass(frozen=True, kw_only=True)
class Times:
    """Medians, in seconds of processor time."""

    start: float
    """Of a small program from its start to its end."""
    computing: float
    """Of five million steps of arithmetic, memory access and calls."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How a qemu does that was started directly, or the handler as the kernel starts it."""

    path: str
    """Of qemu; where a handler was measured, of its interpreter."""
    version: str
    """Of qemu, empty where it is not known."""
    handler: str = ""
    """Its name; empty for a qemu that was started directly."""
    in_use: bool
    """Whether this is what the kernel starts now."""
    keeps_argv0: bool
    """Whether it gets argv[0] from this kernel once it is a handler."""
    faults: tuple[str, ...] = ()
    """What it did wrong, in words."""
    times: Times | None = None
    """None where there are faults: how fast wrong answers come is of no interest."""


def measure_emulators(emulators: Sequence[Emulator], facts: HostFacts) -> tuple[Measurement, ...]:
    """Measure each usable one of *emulators*, in their order, and then the handler of *facts* if it has one.

    Nothing where this host needs no emulator. This takes a second or two for each. Raises StorageError where
    no test program can be written.
    """
    if facts.native(Architecture.AARCH64):
        return ()
    sources = {PROGRAM_NAME: SOURCE, _ASKING: asking(), _STARTING: starting(), _COMPUTING: computing()}
    with programs_in(probe_folder(), sources) as folder, _no_core_files():
        judged = [
            dataclasses.replace(subject, faults=tuple(_faults(subject, folder)))
            for subject in _subjects(emulators, facts)
        ]
        sound = [subject for subject in judged if not subject.faults]
        starts = _medians(sound, folder / _STARTING, STARTS)
        computations = _medians(sound, folder / _COMPUTING, COMPUTATIONS)
    times = {
        subject: Times(start=start, computing=steps)
        for subject, start, steps in zip(sound, starts, computations, strict=True)
    }
    return tuple(dataclasses.replace(subject, times=times.get(subject)) for subject in judged)


def argument_faults(outcome: Outcome) -> Iterator[str]:
    """Yield what is wrong with a run of the probe as ODD_ARGV."""
    if outcome.reason:
        yield outcome.reason
    elif outcome.argc != len(ODD_ARGV):
        yield f"{len(ODD_ARGV)} arguments arrive as {outcome.argc}."
    elif outcome.argv0 != ODD_ARGV[0]:
        yield f"argv[0] arrives as {outcome.argv0!r} instead of {ODD_ARGV[0]!r}."


def answer_faults(stdout: str, status: int) -> Iterator[str]:
    """Yield what is wrong with the answers to QUESTIONS, and with how the program ended that was asked."""
    answers = dict(line.rsplit("=", 1) for line in stdout.splitlines() if "=" in line)
    for question in QUESTIONS:
        answer = answers.get(question.name)
        if answer is None:
            yield f"A program ended too early, with status {status}: {question.name}."
            return
        if answer != str(question.answer):
            yield f"A wrong result: {question.name} gives {answer} instead of {question.answer}."
    # Some emulators turn a signal into the status that shells give it.
    if status not in {-LAST_SIGNAL, 128 + LAST_SIGNAL}:
        yield f"A program that {signal.Signals(LAST_SIGNAL).name} ends leaves status {status}."


def _subjects(emulators: Sequence[Emulator], facts: HostFacts) -> Iterator[Measurement]:
    handler = first_asked(facts.handlers, Architecture.AARCH64)
    seen, version = set(), ""
    for emulator in emulators:
        path = Path(emulator.path)
        if not emulator.usable or path.resolve() in seen:
            continue
        seen.add(path.resolve())
        in_use = handler is not None and holds_emulator(Path(handler.interpreter), path)
        version = emulator.version if in_use else version
        yield Measurement(
            path=emulator.path,
            version=emulator.version,
            in_use=in_use,
            keeps_argv0=preserves_argv0(emulator, facts.kernel_version),
        )
    if handler:
        yield Measurement(
            path=handler.interpreter,
            version=version,
            handler=handler.name,
            in_use=True,
            keeps_argv0="P" in handler.flags,
        )


def _faults(subject: Measurement, folder: Path) -> Iterator[str]:
    try:
        greeted = _run(subject, folder / PROGRAM_NAME, ODD_ARGV)
        yield from argument_faults(parse_outcome(greeted.stdout, greeted.status))
        asked = _run(subject, folder / _ASKING)
        yield from answer_faults(asked.stdout, asked.status)
        for name in (_STARTING, _COMPUTING):
            status = _run(subject, folder / name).status
            if status:
                yield f"The program for {name} ends with status {status}."
    except CrossbuildError as error:
        yield f"{error.brief} {error.details.splitlines()[-1] if error.details else ''}".rstrip()


def _medians(subjects: Sequence[Measurement], program: Path, rounds: int) -> list[float]:
    """Return the processor time that *program* takes each of *subjects*, to a microsecond."""
    # In turn: what slows this host down for a while slows all of them.
    spent = [[_processor_time(subject, program) for subject in subjects] for _ in range(rounds)]
    return [round(statistics.median(column), 6) for column in zip(*spent, strict=True)]


def _processor_time(subject: Measurement, program: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(subject, program)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _run(subject: Measurement, program: Path, argv: Sequence[str] = ()) -> CommandResult:
    """Run *program* as *argv*; raise CrossbuildError where it does not start or does not end."""
    path = os.fspath(program)
    name, *arguments = argv or [path]
    # Under the name that stands for flag P, Debian's qemu refuses to be started by anyone but the kernel.
    direct = [os.fspath(Path(subject.path).resolve()), "-0", name, path, *arguments]
    try:
        return capture(
            [name, *arguments] if subject.handler else direct,
            executable=path if subject.handler else None,
            env={},  # QEMU_… variables change what qemu does, and the number of others how long a start takes
            check=False,
            timeout=LIMIT,
        )
    except HostNotReadyError as error:
        # The program itself is there, so what was not found is what runs it.
        raise CommandFailedError(f"{subject.path} was not found.", status=127) from error
    except OSError as error:
        raise CommandFailedError("A test program does not start.", status=126, details=str(error)) from error


@contextlib.contextmanager
def _no_core_files() -> Iterator[None]:
    """Keep a qemu that crashes from leaving its memory in the present folder."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
