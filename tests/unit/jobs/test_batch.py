from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.config.site import load_site
from crossbuild.errors import HostNotReadyError, ProvisionerError
from crossbuild.jobs import batch, queue_watch
from crossbuild.jobs.batch import BatchWorker, SlurmEndedError, SlurmNeverError, batch_worker
from crossbuild.jobs.places import Place, ThisHost
from crossbuild.jobs.queue_watch import NUMBER, QueueWatch
from crossbuild.model.codec import encode
from crossbuild.model.events import Event, Log
from crossbuild.model.job import Ending, Outcome
from crossbuild.model.offload import SlurmDefaults
from crossbuild.nodes.slurm import SlurmAwayError, SlurmJob
from tests.unit.jobs.test_speaking import quiet


class FakeSlurm:
    """Tells states in turn, the last one for ever; an exception is raised."""

    def __init__(self, *said: str | Exception | None) -> None:
        self.said = list(said)
        self.asked: list[list[int]] = []

    def states(self, numbers: Sequence[int]) -> dict[int, SlurmJob]:
        self.asked.append([*numbers])
        state = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(state, Exception):
            raise state
        return {} if state is None else {one: SlurmJob(id=one, state=state, name="") for one in numbers}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(batch, "LOOK", 0.0)
    monkeypatch.setattr(queue_watch, "FRESH", 0.0)
    for number, job in enumerate(("a-1", "b-2"), start=17):
        (tmp_path / "jobs" / job).mkdir(parents=True)
        (tmp_path / "jobs" / job / NUMBER).write_text(str(number))
    return tmp_path / "jobs"


def worker(jobs: Path, monkeypatch: pytest.MonkeyPatch, slurm: FakeSlurm) -> BatchWorker:
    monkeypatch.setattr(queue_watch, "states", slurm.states)
    place = Place(name="slurm", jobs=PurePosixPath(jobs), shore=ThisHost())
    watch = QueueWatch(jobs, jobs.parent / "notes")
    return BatchWorker(
        place=place, python=("python3",), folder=place.jobs, defaults=SlurmDefaults(), watch=watch
    )


def finish(jobs: Path) -> None:
    (jobs / "a-1/events").write_text(json.dumps(encode(Log(phase="base", line="x"))) + "\n")
    (jobs / "a-1/result.json").write_text(json.dumps(encode(Outcome(ending=Ending.DONE))))


def test_all_jobs_are_asked_for_at_once(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slurm = FakeSlurm("RUNNING")
    monkeypatch.setattr(queue_watch, "FRESH", 60.0)
    watch = worker(jobs, monkeypatch, slurm).watch
    assert [watch.look(number) for number in (17, 18, 17)] == [
        SlurmJob(id=number, state="RUNNING", name="") for number in (17, 18, 17)
    ]
    assert slurm.asked == [[17, 18]]


def test_what_happened_is_told_to_the_end(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    finish(jobs)
    outcome = worker(jobs, monkeypatch, FakeSlurm("RUNNING")).follow("a-1", heard.append, quiet)
    assert outcome.ending is Ending.DONE
    assert heard == [Log(phase="base", line="x")]


def test_states_are_told_once_and_an_absent_controller_is_waited_for(
    jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def notice(message: str) -> None:
        told.append(message)
        if "RUNNING" in message:
            finish(jobs)

    away = SlurmAwayError("Slurm's controller does not answer.")
    slurm = FakeSlurm("PENDING", "PENDING", away, away, "REQUEUED", "RUNNING")
    worker(jobs, monkeypatch, slurm).follow("a-1", quiet, notice)
    assert told == [
        "Slurm's job 17: PENDING.",
        "Slurm's job 17: Slurm's controller does not answer.",
        "Slurm's job 17: REQUEUED.",
        "Slurm's job 17: RUNNING.",
    ]


@pytest.mark.parametrize(
    ("state", "why"),
    [("TIMEOUT", "time limit"), ("PREEMPTED", "another job took its node"), (None, "has forgotten it")],
)
def test_a_job_that_slurm_ended_is_no_result(
    jobs: Path, monkeypatch: pytest.MonkeyPatch, state: str | None, why: str
) -> None:
    monkeypatch.setattr(batch, "LATE", 0.0)
    with pytest.raises(SlurmEndedError) as caught:
        worker(jobs, monkeypatch, FakeSlurm(state)).follow("a-1", quiet, quiet)
    assert why in caught.value.details


def test_a_job_that_slurm_never_starts_is_given_up(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = SlurmJob(id=17, state="PENDING", name="", reason="PartitionTimeLimit")
    waiting = worker(jobs, monkeypatch, FakeSlurm("PENDING"))
    monkeypatch.setattr(queue_watch, "states", lambda _numbers: {17: never, 18: never})
    with pytest.raises(SlurmNeverError) as caught:
        waiting.follow("a-1", quiet, quiet)
    assert caught.value.details == "PENDING, PartitionTimeLimit."


def test_a_result_may_come_later_than_the_end_of_its_job(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_seconds: float) -> None:
        finish(jobs)

    monkeypatch.setattr("crossbuild.jobs.batch.time.sleep", sleep)
    done = worker(jobs, monkeypatch, FakeSlurm("COMPLETED")).follow("a-1", quiet, quiet)
    assert done.ending is Ending.DONE


def test_a_job_that_was_never_submitted_cannot_be_followed(
    jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (jobs / "a-1" / NUMBER).unlink()
    with pytest.raises(ProvisionerError, match="never submitted"):
        worker(jobs, monkeypatch, FakeSlurm("RUNNING")).follow("a-1", quiet, quiet)


def test_a_site_without_a_shared_folder_is_told_so() -> None:
    with pytest.raises(HostNotReadyError) as caught:
        batch_worker(replace(load_site(Path("/dev/null")), slurm=SlurmDefaults()))
    assert "slurm.folder" in caught.value.resolution
