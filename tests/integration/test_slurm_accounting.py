"""A Slurm with a database of accounts: what it refuses, what it remembers, and what goes on without it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.errors import ProvisionerError
from crossbuild.host.command import capture
from crossbuild.model.offload import SlurmDefaults
from crossbuild.nodes.slurm import Phase, SlurmAwayError, cancel, states, submit
from tests.integration.slurm_accounting import ACCOUNT, add_account, start_accounting, start_slurmdbd
from tests.integration.slurm_rig import PATIENCE, Cluster, running_slurm

SITE = SlurmDefaults(partition="builds", account=ACCOUNT)
SLEEP = "#!/bin/sh\nexec sleep 300\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_slurm(prepare=start_accounting) as cluster:
        add_account(cluster)
        yield cluster


def test_a_job_that_the_controller_forgot_is_told_by_the_accounting(cluster: Cluster, tmp_path: Path) -> None:
    scripts = {"fine": "#!/bin/sh\n", "failing": "#!/bin/sh\nexit 3\n", "cancelled": SLEEP}
    numbers = [submit(script, job=job, folder=tmp_path, defaults=SITE) for job, script in scripts.items()]
    cancel(numbers[2:])
    cluster.wait(lambda: not capture(["squeue", "--noheader", "--states=all"]).stdout)
    found = states(numbers)
    assert [found[number].complaint for number in numbers] == [
        "",
        "its script failed",
        "it was cancelled in Slurm",
    ]
    cancel(numbers)


@pytest.mark.usefixtures("cluster")
def test_an_account_that_it_does_not_know_is_refused_at_once(tmp_path: Path) -> None:
    site = replace(SITE, account="chemistry")
    with pytest.raises(ProvisionerError, match="did not take the job x") as caught:
        submit(SLEEP, job="x", folder=tmp_path, defaults=site)
    assert not isinstance(caught.value, SlurmAwayError)
    assert "Invalid account" in caught.value.details


def test_jobs_go_on_while_the_accounting_is_away(cluster: Cluster, tmp_path: Path) -> None:
    number = submit(SLEEP, job="alone", folder=tmp_path, defaults=SITE)
    cluster.wait(lambda: states([number])[number].phase is Phase.RUNNING)
    known = ["sacct", "--noheader", "--allocations", "--format=State", f"--jobs={number}"]
    cluster.wait(lambda: "RUNNING" in capture(known, check=False).stdout)
    cluster.stop("accounting")
    assert states([number])[number].phase is Phase.RUNNING
    cancel([number])
    cluster.wait(lambda: not capture(["squeue", "--noheader", "--states=all"]).stdout)
    with pytest.raises(SlurmAwayError, match="Slurm's accounting does not answer"):
        states([number])
    start_slurmdbd(cluster)

    def told() -> bool:
        with contextlib.suppress(SlurmAwayError):
            return states([number])[number].complaint == "it was cancelled in Slurm"
        return False

    # slurmctld tries again by itself, at intervals of its own.
    cluster.wait(told, patience=6 * PATIENCE)
