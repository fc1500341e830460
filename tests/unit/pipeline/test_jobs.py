from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.config.site import load_site
from crossbuild.errors import UsageError
from crossbuild.jobs.places import Place, ThisHost
from crossbuild.jobs.store import JobStore
from crossbuild.model.job import JobState, Standing
from crossbuild.model.plan import Venue, VenueKind
from crossbuild.model.site import Site
from crossbuild.pipeline import jobs
from crossbuild.pipeline.jobs import Condition, Orphan, condition
from tests.unit.jobs.test_store import VENUE, WORK

HERE = Venue(kind=VenueKind.LOCAL, reason="it was asked for")


@dataclass
class FakeWorker:
    """Has jobs on a node, and remembers what was done with them."""

    standing: tuple[Standing, ...]
    place: Place = field(
        default_factory=lambda: Place(name="arm1", jobs=PurePosixPath("/jobs"), shore=ThisHost())
    )
    done: list[str] = field(default_factory=list)

    def standings(self) -> tuple[Standing, ...]:
        return self.standing

    def cancel(self, job: str) -> None:
        self.done.append(f"cancel {job}")

    def remove(self, job: str) -> None:
        self.done.append(f"remove {job}")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return replace(load_site(Path("/dev/null")), state=tmp_path)


@pytest.fixture
def store(site: Site) -> JobStore:
    return JobStore(site.state)


def quiet(_: str) -> None:
    """Hear nothing."""


def detached(store: JobStore) -> str:
    with store.opened("node", Path("/out/node")) as job:
        store.commission(job, VENUE, WORK)
    return job.id


def interrupted(store: JobStore) -> str:
    with store.opened("node", Path("/out/node")) as job:
        store.commission(job, HERE, None)
    return job.id


def test_a_job_is_what_its_process_and_its_node_make_of_it(store: JobStore) -> None:
    with store.opened("node", Path("/out/node")) as job:
        assert condition(store, job) is Condition.WAITING
        assert condition(store, store.commission(job, VENUE, WORK)) is Condition.RUNNING
    assert condition(store, store.load(job.id)) is Condition.DETACHED
    assert condition(store, store.load(interrupted(store))) is Condition.INTERRUPTED
    store.close(job.id, JobState.DONE)
    assert condition(store, store.load(job.id)) is Condition.DONE


def test_only_what_nobody_needs_is_removed(
    site: Site, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, over = detached(store), detached(store)
    store.close(over, JobState.CANCELLED)
    standings = (
        Standing(job=goes_on, site=store.site, running=True, ending=None),
        Standing(job=over, site=store.site, running=False, ending=None),
        Standing(job="forgotten-1", site=store.site, running=True, ending=None),
        Standing(job="foreign-1", site="another", running=True, ending=None),
        Standing(job="damaged-1", site="", running=False, ending=None),
    )
    worker = FakeWorker(standings)

    def workers(*_: object) -> Iterator[FakeWorker]:
        yield worker

    monkeypatch.setattr(jobs, "_workers", workers)
    expected = (
        Orphan(node="arm1", job=over, running=False),
        Orphan(node="arm1", job="forgotten-1", running=True),
    )
    assert jobs.orphans(site, quiet) == expected
    assert worker.done == []
    assert jobs.clean(site, quiet) == expected
    assert worker.done == [f"cancel {over}", f"remove {over}", "cancel forgotten-1", "remove forgotten-1"]


def test_cleaning_up_closes_what_was_interrupted_here(
    site: Site, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, alive = interrupted(store), detached(store)
    monkeypatch.setattr(jobs, "_workers", lambda *_: iter(()))
    jobs.clean(site, quiet)
    assert store.load(dead).state is JobState.FAILED
    assert store.load(alive).state is JobState.RUNNING


def test_what_is_over_is_not_cancelled(site: Site, store: JobStore) -> None:
    job = detached(store)
    store.close(job, JobState.DONE)
    with pytest.raises(UsageError, match="is over"):
        jobs.cancel(job, site)


def test_what_was_interrupted_can_be_cancelled(site: Site, store: JobStore) -> None:
    assert jobs.cancel(interrupted(store), site).name == "node"
    assert store.all()[0].state is JobState.CANCELLED
