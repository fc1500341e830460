"""A real Slurm: jobs come and go, its controller goes and comes back, and what it says is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.host.command import capture
from crossbuild.model.offload import SlurmDefaults
from crossbuild.nodes.slurm import Phase, SlurmAwayError, SlurmJob, cancel, find, states, submit
from tests.integration.slurm_rig import Cluster, running_slurm

SITE = SlurmDefaults(partition="builds", constraint="c1|c2")
Until = Callable[[Callable[[], bool]], None]
SLEEP = "#!/bin/sh\nexec sleep 300\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_slurm() as found:
        yield found


@pytest.fixture
def until(cluster: Cluster) -> Until:
    """Waits for something that must happen."""
    return cluster.wait


@pytest.fixture
def folder(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """Where jobs of one test run; none of them is left."""
    yield tmp_path
    capture(["scancel", "--user=root"])
    cluster.wait(lambda: not capture(["squeue", "--noheader"]).stdout)


def state(number: int) -> SlurmJob:
    return states([number])[number]


def test_a_job_runs_without_our_environment_and_its_end_is_seen(
    folder: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_THE_USER", "secret")
    number = submit("#!/bin/sh\npwd\nenv\n", job="j1", folder=folder, defaults=SITE)
    until(lambda: state(number).phase is Phase.ENDED)
    assert (state(number).state, state(number).complaint) == ("COMPLETED", "")
    said = (folder / "slurm.out").read_text()
    assert said.splitlines()[0] == str(folder)
    assert "secret" not in said


def test_a_script_that_fails_is_no_success(folder: Path, until: Until) -> None:
    number = submit("#!/bin/sh\nexit 3\n", job="j2", folder=folder, defaults=SITE)
    until(lambda: state(number).phase is Phase.ENDED)
    assert state(number).complaint == "its script failed"


def test_jobs_beyond_the_nodes_wait_and_all_are_told_in_one_query(folder: Path, until: Until) -> None:
    numbers = [submit(SLEEP, job=f"m{index}", folder=folder, defaults=SITE) for index in range(3)]
    until(lambda: sum(job.phase is Phase.RUNNING for job in states(numbers).values()) == 2)
    found = states([*numbers, 4_000_000])
    assert sorted(found) == numbers
    waiting = found[numbers[2]]
    assert (waiting.phase, bool(waiting.reason), waiting.hopeless) == (Phase.WAITING, True, False)
    again = find("m2")
    assert again
    assert again.id == numbers[2]
    cancel(numbers)
    until(lambda: all(job.phase is Phase.ENDED for job in states(numbers).values()))
    assert {job.complaint for job in states(numbers).values()} == {"it was cancelled in Slurm"}
    cancel([4_000_000])


def test_a_job_that_is_requeued_is_waited_for(folder: Path, until: Until) -> None:
    number = submit(SLEEP, job="r", folder=folder, defaults=SITE)
    until(lambda: state(number).phase is Phase.RUNNING)
    capture(["scontrol", "requeuehold", str(number)])
    until(lambda: state(number).phase is Phase.WAITING)
    assert state(number).complaint == ""


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(SlurmDefaults(partition="nowhere"), id="partition"),
        pytest.param(SlurmDefaults(constraint="sparc"), id="constraint"),
        pytest.param(SlurmDefaults(time="never"), id="time"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_what_slurm_refuses_is_told_in_its_words(site: SlurmDefaults, tmp_path: Path) -> None:
    with pytest.raises(ProvisionerError, match="did not take the job x") as caught:
        submit(SLEEP, job="x", folder=tmp_path, defaults=site)
    assert not isinstance(caught.value, SlurmAwayError)
    assert "nvalid" in caught.value.details


@pytest.mark.parametrize(
    "site",
    [
        pytest.param(SlurmDefaults(partition="theirs", account="chemistry"), id="account"),
        pytest.param(SlurmDefaults(partition="short", time="10"), id="time"),
    ],
)
def test_what_slurm_takes_and_never_starts_is_recognised(
    site: SlurmDefaults, folder: Path, until: Until
) -> None:
    number = submit(SLEEP, job="n", folder=folder, defaults=site)
    until(lambda: state(number).hopeless)


def test_jobs_outlive_the_controller(folder: Path, cluster: Cluster, until: Until) -> None:
    number = submit(SLEEP, job="o", folder=folder, defaults=SITE)
    until(lambda: state(number).phase is Phase.RUNNING)
    cluster.stop("controller")
    with pytest.raises(SlurmAwayError):
        states([number])
    cluster.start_controller()
    assert state(number).phase is Phase.RUNNING
