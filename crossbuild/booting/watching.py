"""What the lines of a console mean: stages, what the probe tells, and ends that no boot comes back from."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable

from crossbuild.model.boot import Observed, Stage, StageReached

KEPT = 400
"""Lines in which the ones that matter are looked for."""
SHOWN = 14
LAST = 4
"""The last lines, which are shown whatever they say."""

_KERNEL = re.compile(r"Booting Linux on physical CPU")
_INITRAMFS = re.compile(r"Run (\S+) as init process")
_TOLD = re.compile(r"crossbuild: (stage|fact|failed|end)\b ?(.*)")

_LOADER = re.compile(r"(?:^|\] )?(\S+: error while loading shared libraries: .*)")
_MEMORY = "The machine's memory does not suffice: {}. Give it more with `--memory`."
_FATAL: tuple[tuple[re.Pattern[str], str], ...] = (
    # The kernel's own words: kernel/panic.c, init/initramfs.c, mm/oom_kill.c, kernel/reboot.c.
    (re.compile(r"Kernel panic - not syncing: (System is deadlocked on memory.*)"), _MEMORY),
    (re.compile(r"(Out of memory: Killed process \d+ \(.*?\))"), _MEMORY),
    (re.compile(r"(Initramfs unpacking failed: write error)"), _MEMORY),
    (re.compile(r"Initramfs unpacking failed: (.*)"), "The kernel cannot unpack the initramfs: {}."),
    (re.compile(r"Kernel panic - not syncing: (.*?)(?: \]---)?$"), "The kernel panicked: {}."),
    (re.compile(r"reboot: (Restarting system)"), "The machine restarted itself before it was up."),
    (re.compile(r"reboot: (Power down|System halted)"), "The machine switched itself off before it was up."),
    # dracut's die(), then systemd's emergency.service and dracut's shell for emergencies.
    (re.compile(r"dracut: FATAL: (.*)"), "The initramfs gave up: {}."),
    (re.compile(r"(You are in emergency mode|Entering emergency mode|Starting Dracut Emergency Shell)"),
     "The machine ended in emergency mode: something that it cannot do without is not there."),
)  # fmt: skip
_ROOT_PANIC = "Attempted to kill init"
_TROUBLE = re.compile(
    r"panic|error|fail|cannot|can't|unable|no such|not found|not exist|timed? ?out|timeout|out of memory|"
    r"\bkilled\b|denied|fatal|warning|start job is running|reboot:|dependency",
    re.IGNORECASE,
)


class Watch:
    """Takes in one line after the other and keeps what they say in *observed*."""

    def __init__(self, on_stage: Callable[[StageReached], None] = lambda _stage: None) -> None:
        """*on_stage* hears of each stage when it is reached first."""
        self.observed = Observed()
        self._on_stage = on_stage
        self._tail: deque[str] = deque(maxlen=KEPT)
        self._loader = ""

    def see(self, seconds: float, line: str) -> None:
        """Take in *line*, which came *seconds* after power on."""
        if told := _TOLD.search(line):
            self._hear(seconds, told[1], told[2])
            if told[1] == "failed":
                self._tail.append(line)
            return
        if line.strip():
            self._tail.append(line)
        if _KERNEL.search(line):
            self.reached(Stage.KERNEL, seconds)
        elif _INITRAMFS.search(line):
            self.reached(Stage.INITRAMFS, seconds)
        elif found := _LOADER.search(line):
            self._loader = found[1]
        elif not self.observed.failure:
            self.observed.failure = self._fatal(line)

    def reached(self, stage: Stage, seconds: float) -> None:
        """Note that *stage* was reached; only the first time counts."""
        if all(known.stage is not stage for known in self.observed.stages):
            reached = StageReached(stage=stage, seconds=round(seconds, 2))
            self.observed.stages.append(reached)
            self._on_stage(reached)

    def lines(self) -> tuple[str, ...]:
        """Return the lines that tell most about what went wrong, in their order."""
        return _telling(self._tail)

    def _hear(self, seconds: float, kind: str, rest: str) -> None:
        match kind:
            case "stage" if rest in set(Stage):
                self.reached(Stage(rest), seconds)
            case "fact":
                word, _, value = rest.partition(" ")
                self.observed.facts.append((word, value.strip()))
            case "failed":
                self.observed.failure = self.observed.failure or _sentence(rest)
            case "end":
                self.observed.ended = True

    def _fatal(self, line: str) -> str:
        for pattern, sentence in _FATAL:
            if found := pattern.search(line):
                if _ROOT_PANIC in line and self._loader:
                    return f"The image's init does not start: {self._loader}."
                return sentence.format(found[1].strip(" .!"))
        return ""


def _telling(lines: Iterable[str]) -> tuple[str, ...]:
    kept = list(dict.fromkeys(lines))
    last = set(kept[-LAST:])
    chosen = [line for line in kept if line in last or _TROUBLE.search(line)]
    return tuple(chosen[-SHOWN:])


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
