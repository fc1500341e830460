"""Slurm's answers are understood, and its absence is told from its refusal."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.model.offload import SlurmDefaults
from crossbuild.nodes import slurm
from crossbuild.nodes.slurm import Phase, SlurmAwayError, SlurmJob, cancel, find, states, submit

Program = Callable[[str, str], None]
NOTHING = SlurmDefaults()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a command of Slurm on the PATH that does what a script says."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


def test_a_job_is_submitted_with_what_the_site_wants(tmp_path: Path, program: Program) -> None:
    program(
        "sbatch",
        f'printf "%s\\n" "$@" >{tmp_path}/said; cat >{tmp_path}/script; echo "a plugin"; echo "42;c"',
    )
    site = SlurmDefaults(partition="arm", constraint="a&b", account="x", time="1:00", options=("--qos=q",))
    assert submit("#!/bin/sh\n", job="j1", folder=tmp_path, defaults=site) == 42
    said = (tmp_path / "said").read_text().splitlines()
    assert {"--job-name=crossbuild-j1", "--export=NONE", "--constraint=a&b", "--time=1:00"} <= set(said)
    assert said[-1] == "--qos=q"
    assert (tmp_path / "script").read_text() == "#!/bin/sh\n"


def test_what_the_site_leaves_open_is_left_to_slurm(tmp_path: Path, program: Program) -> None:
    program("sbatch", f'printf "%s\\n" "$@" >{tmp_path}/said; echo 42')
    submit("", job="j1", folder=tmp_path, defaults=NOTHING)
    assert "partition" not in (tmp_path / "said").read_text()


def test_a_refusal_is_told_in_slurms_words(tmp_path: Path, program: Program) -> None:
    program("sbatch", "echo 'sbatch: error: Invalid account or account/partition combination' >&2; exit 1")
    with pytest.raises(ProvisionerError, match="did not take") as caught:
        submit("", job="j1", folder=tmp_path, defaults=NOTHING)
    assert "Invalid account" in caught.value.details
    assert not isinstance(caught.value, SlurmAwayError)


@pytest.mark.parametrize(
    "said",
    [
        "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
        "squeue: error: slurm_receive_msg: Socket timed out on send/recv operation",
    ],
)
def test_a_controller_that_is_away_is_no_refusal(program: Program, said: str) -> None:
    for name in ("squeue", "scancel"):
        program(name, f"echo '{said}' >&2; exit 1")
    with pytest.raises(SlurmAwayError):
        states([1])
    with pytest.raises(SlurmAwayError):
        cancel([1])


def test_a_controller_that_hangs_is_given_up(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "PATIENCE", 0.1)
    program("squeue", "exec sleep 60")
    with pytest.raises(SlurmAwayError):
        states([1])


def test_all_jobs_are_asked_for_at_once_and_old_ones_in_the_accounting(
    tmp_path: Path, program: Program
) -> None:
    program(
        "squeue", f"echo x >>{tmp_path}/asked; echo '1|RUNNING|crossbuild-a|n1|None'; echo '9|PENDING|b||x|y'"
    )
    program(
        "sacct", f"echo x >>{tmp_path}/asked; echo '2|CANCELLED by 0|crossbuild-c|n2'; echo '2.batch|x|y|z'"
    )
    found = states([1, 2, 3])
    assert found == {
        1: SlurmJob(id=1, state="RUNNING", name="crossbuild-a", nodes="n1", reason="None"),
        2: SlurmJob(id=2, state="CANCELLED", name="crossbuild-c", nodes="n2"),
    }
    assert (tmp_path / "asked").read_text() == "x\nx\n"
    assert states([]) == {}


def test_a_site_without_accounting_forgets(program: Program) -> None:
    program("squeue", "exit 0")
    program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert states([1]) == {}


def test_of_several_jobs_of_a_name_the_last_one_counts(program: Program) -> None:
    program("squeue", "echo '1|CANCELLED|crossbuild-a||'; echo '2|PENDING|crossbuild-a||Priority'")
    found = find("a")
    assert found
    assert (found.id, found.reason) == (2, "Priority")


def test_cancelling_what_is_gone_is_no_error(program: Program) -> None:
    program(
        "scancel", "echo 'scancel: error: Kill job error on job id 7: Invalid job id specified' >&2; exit 1"
    )
    cancel([7])
    program("scancel", "echo 'scancel: error: Access/permission denied' >&2; exit 1")
    with pytest.raises(ProvisionerError, match="did not cancel"):
        cancel([7])
    cancel([])


@pytest.mark.parametrize(
    ("state", "phase", "complains"),
    [
        ("PENDING", Phase.WAITING, False),
        ("REQUEUED", Phase.WAITING, False),
        ("REQUEUE_HOLD", Phase.WAITING, False),
        ("RUNNING", Phase.RUNNING, False),
        ("COMPLETING", Phase.RUNNING, False),
        ("SOMETHING_NEW", Phase.RUNNING, False),
        ("COMPLETED", Phase.ENDED, False),
        ("FAILED", Phase.ENDED, True),
        ("TIMEOUT", Phase.ENDED, True),
        ("NODE_FAIL", Phase.ENDED, True),
        ("PREEMPTED", Phase.ENDED, True),
        ("OUT_OF_MEMORY", Phase.ENDED, True),
    ],
)  # fmt: skip
def test_each_state_means_something(state: str, phase: Phase, complains: bool) -> None:
    job = SlurmJob(id=1, state=state, name="")
    assert (job.phase, bool(job.complaint)) == (phase, complains)


@pytest.mark.parametrize(
    ("state", "reason", "hopeless"),
    [
        ("PENDING", "Priority", False),
        ("PENDING", "BeginTime", False),
        ("PENDING", "PartitionTimeLimit", True),
        ("PENDING", "Job's account not permitted to use this partition (arm allows a not b)", True),
        ("RUNNING", "None", False),
        ("CANCELLED", "PartitionTimeLimit", False),
    ],
)
def test_what_does_not_come_by_itself_is_not_waited_for(state: str, reason: str, hopeless: bool) -> None:
    assert SlurmJob(id=1, state=state, name="", reason=reason).hopeless is hopeless
