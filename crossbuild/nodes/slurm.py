"""A client of Slurm's own commands: submit, look at all jobs in one query, cancel. It keeps no state.

Options and states: sbatch(1), squeue(1), sacct(1), scancel(1) of Slurm 20.11 and later. Their `--json` came
later and changes between releases, so formats of columns are asked for.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CommandFailedError, NodeUnreachableError, ProvisionerError
from crossbuild.host.caller import as_caller
from crossbuild.host.command import CommandResult, capture
from crossbuild.model.offload import SlurmDefaults

PATIENCE = 60
"""Seconds: Slurm's commands try again for a while themselves (slurm.conf(5), MessageTimeout)."""
PREFIX = "crossbuild-"
"""Begins the name of every job, which ends with its id at crossbuild: so it is found again."""

_AWAY = (
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Zero Bytes were transmitted",
    "slurmdbd",
    "Transport endpoint",
)
_NO_ACCOUNTING = "accounting storage is disabled"


class Phase(enum.StrEnum):
    """What a state of Slurm means for who waits."""

    WAITING = "waiting"
    """In the queue, also again: after a requeue, a preemption, or the loss of its node."""
    RUNNING = "running"
    ENDED = "ended"


_RUNNING = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING", "STAGE_OUT"})
_WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
)
_ENDINGS: Mapping[str, str] = {
    "COMPLETED": "",
    "BOOT_FAIL": "its node did not boot",
    "CANCELLED": "it was cancelled in Slurm",
    "DEADLINE": "its deadline passed",
    "FAILED": "its script failed",
    "NODE_FAIL": "its node failed, and Slurm did not start it again",
    "OUT_OF_MEMORY": "it needed more memory than its job has",
    "PREEMPTED": "another job took its node, and Slurm did not start it again",
    "REVOKED": "another cluster runs it",
    "TIMEOUT": "it ran into the time limit of its job",
}
"""Job state codes of squeue(1) after which nothing more happens, and why that was no success."""
_NEVER = (
    "AccountNotAllowed",
    "BadConstraints",
    "InvalidAccount",
    "InvalidQOS",
    "PartitionTimeLimit",
    "QOSNotAllowed",
    "use this partition",  # `Job's account not permitted to use this partition (…)`, and the like for QOS
)
"""Parts of squeue's reasons why a job waits for ever, unless it or its partition is changed. By default Slurm
takes such jobs all the same (slurm.conf(5), EnforcePartLimits)."""


@dataclass(frozen=True, kw_only=True)
class SlurmJob:
    """A job as Slurm tells it."""

    id: int
    state: str
    """Slurm's own word, such as `PENDING`."""
    name: str
    reason: str = ""
    """Why it waits or ended, in Slurm's words."""
    nodes: str = ""

    @property
    def phase(self) -> Phase:
        """What the state means; a word that nobody knows is taken for work that goes on."""
        if self.state in _ENDINGS:
            return Phase.ENDED
        return Phase.WAITING if self.state in _WAITING else Phase.RUNNING

    @property
    def complaint(self) -> str:
        """Why it ended without success; empty where it succeeded or goes on."""
        return _ENDINGS.get(self.state, "")

    @property
    def hopeless(self) -> bool:
        """Whether it waits for something that does not come by itself."""
        return self.phase is Phase.WAITING and any(words in self.reason for words in _NEVER)


class SlurmAwayError(NodeUnreachableError):
    """Slurm's controller or accounting does not answer; jobs go on without it, so ask again later."""


def submit(script: str, *, job: str, folder: Path, defaults: SlurmDefaults) -> int:
    """Submit *script* for the job *job* of crossbuild, to run in *folder*; return Slurm's number of it.

    Nothing of this process's environment goes along. Raises ProvisionerError where Slurm refuses it. After
    SlurmAwayError the job may be there all the same: `find` tells.
    """
    settings = {
        "--job-name": f"{PREFIX}{job}",
        "--chdir": str(folder),
        "--output": str(folder / "slurm.out"),
        "--open-mode": "append",  # a second start adds to what the first one said
        "--export": "NONE",
        "--partition": defaults.partition,
        "--constraint": defaults.constraint,
        "--account": defaults.account,
        "--time": defaults.time,
    }
    options = [f"{key}={value}" for key, value in settings.items() if value]
    said = _run(["sbatch", "--parsable", *options, *defaults.options], stdin=script)
    if said.status:
        raise _refused(f"Slurm did not take the job {job}.", said)
    # `NUMBER` or `NUMBER;CLUSTER`, behind what plugins of the site print.
    found = re.search(r"^(\d+)(?:;\S+)?$", said.stdout, re.MULTILINE)
    if not found:
        raise ProvisionerError("sbatch did not say which number the job has.", details=said.stdout)
    return int(found[1])


def find(job: str) -> SlurmJob | None:
    """Return what Slurm knows of the job *job* of crossbuild, None where that is nothing."""
    said = _query(["--name", f"{PREFIX}{job}"])
    return max(said, key=lambda found: found.id, default=None)


def states(numbers: Sequence[int]) -> dict[int, SlurmJob]:
    """Return what Slurm knows of the jobs *numbers*, all in one query, or two if some have long ended.

    Those that it has forgotten are missing. Raises SlurmAwayError while the controller is away.
    """
    wanted = set(numbers)
    if not wanted:
        return {}
    # By user: a number that is forgotten would make a query by numbers fail.
    found = {job.id: job for job in _query(["--me"]) if job.id in wanted}
    return found | _accounted(wanted - set(found))


def cancel(numbers: Iterable[int]) -> None:
    """Cancel jobs; those that have ended, or that Slurm has forgotten, are no error."""
    wanted = [str(number) for number in numbers]
    if wanted:
        said = _run(["scancel", "--quiet", *wanted])
        if said.status and "Invalid job id" not in said.stderr:
            raise _refused("Slurm did not cancel the jobs.", said)


def _query(which: Sequence[str]) -> list[SlurmJob]:
    said = _run(["squeue", "--noheader", "--states=all", "--format=%A|%T|%j|%N|%r", *which])
    if said.status:
        raise _refused("Slurm did not tell its jobs.", said)
    rows = (line.split("|", 4) for line in said.stdout.splitlines())
    return [
        SlurmJob(id=int(row[0]), state=row[1], name=row[2], nodes=row[3], reason=row[4])
        for row in rows
        if len(row) == 5 and row[0].isdecimal()
    ]


def _accounted(numbers: set[int]) -> dict[int, SlurmJob]:
    """Return what the accounting knows of *numbers*; nothing where a site has none."""
    if not numbers:
        return {}
    columns = "--format=JobIDRaw,State,JobName,NodeList"
    listed = ",".join(map(str, sorted(numbers)))
    said = _run(["sacct", "--noheader", "--parsable2", "--allocations", columns, "--jobs", listed])
    if said.status and _NO_ACCOUNTING not in said.stderr:
        raise _refused("Slurm's accounting did not answer.", said)
    rows = (line.split("|", 3) for line in said.stdout.splitlines())
    # `CANCELLED by 1000`: the first word is the state.
    return {
        int(row[0]): SlurmJob(id=int(row[0]), state=row[1].split()[0], name=row[2], nodes=row[3])
        for row in rows
        if len(row) == 4 and row[0].isdecimal() and row[1].strip()
    }


def _run(argv: Sequence[str], stdin: str = "") -> CommandResult:
    """Run a command of Slurm to its end; raise SlurmAwayError if it could not reach the controller."""
    try:
        said = capture(as_caller(argv), stdin=stdin, check=False, timeout=PATIENCE)
    except CommandFailedError as error:
        raise _away(argv[0], error.details) from error
    if said.status and any(words in said.stderr for words in _AWAY):
        raise _away(argv[0], said.stderr)
    return said


def _away(program: str, said: str) -> SlurmAwayError:
    what, check = "controller", "slurmctld with `scontrol ping`"
    if program == "sacct":
        what, check = "accounting", "slurmdbd with `sacctmgr list cluster`"
    return SlurmAwayError(
        f"Slurm's {what} does not answer.",
        details=f"{program}: {_last(said)}",
        resolution=f"Jobs that run go on. Check {check}.",
    )


def _refused(brief: str, said: CommandResult) -> ProvisionerError:
    return ProvisionerError(
        brief,
        details=_last(said.stderr or said.stdout),
        resolution="Check the section `slurm` of the site's configuration: partition, account and limits.",
    )


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "It gave no reason."
