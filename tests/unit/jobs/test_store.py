from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.errors import CrossbuildError, UsageError
from crossbuild.jobs import store as module
from crossbuild.jobs.store import COMMISSION, JobStore
from crossbuild.model.job import Commission, JobState
from crossbuild.model.plan import Venue, VenueKind
from tests.unit.model.test_codec import PLAN

VENUE = Venue(kind=VenueKind.NODE, node="arm1", reason="it is free")
WORK = Commission(plan=PLAN, inputs="abc", target=Path("/out/node"))


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def closed(store: JobStore, name: str) -> str:
    with store.opened(name, Path("/out")) as job:
        store.close(job.id, JobState.DONE)
    return job.id


def test_a_job_is_its_process_until_that_has_ended(store: JobStore) -> None:
    with store.opened("node", Path("/out/node")) as job:
        assert store.owner(job.id) is not None
        with pytest.raises(UsageError, match="Another crossbuild process"), store.owned(job.id):
            pass
    assert store.owner(job.id) is None


def test_a_job_that_goes_on_elsewhere_can_be_finished_by_another_process(store: JobStore) -> None:
    with store.opened("node", Path("/out/node")) as job:
        store.commission(job, VENUE, WORK)
    found = store.load(job.id)
    assert (found.state, found.venue) == (JobState.RUNNING, VENUE)
    assert store.goes_on(job.id)
    assert store.load_commission(found) == WORK


def test_the_end_keeps_where_it_was_and_forgets_the_rest(store: JobStore) -> None:
    with store.opened("node", Path("/out/node")) as job:
        store.commission(job, VENUE, WORK)
        store.close(job.id, JobState.FAILED, "It broke.")
    found = store.load(job.id)
    assert (found.state, found.brief, found.venue) == (JobState.FAILED, "It broke.", VENUE)
    assert found.ended
    assert not store.goes_on(job.id)


def test_the_beginning_of_an_id_is_enough_if_there_is_one_such(store: JobStore) -> None:
    first, second = closed(store, "one"), closed(store, "other")
    assert store.load("one").id == first
    assert store.load(second).id == second
    for name in ("o", "", "three", "../one"):
        with pytest.raises(UsageError):
            store.load(name)


def test_jobs_that_are_over_do_not_pile_up(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    with store.opened("running", Path("/out")) as running:
        for _ in range(4):
            latest = closed(store, "done")
        kept = {job.id for job in store.all()}
    assert {running.id, latest} <= kept
    assert len(kept) == 4  # the running one, two that are over, and the latest


def test_a_damaged_record_is_named(store: JobStore) -> None:
    with store.opened("node", Path("/out/node")) as job:
        store.commission(job, VENUE, WORK)
        (store.folder / job.id / COMMISSION).write_text("{}")
        with pytest.raises(CrossbuildError) as caught:
            store.load_commission(job)
    assert COMMISSION in caught.value.details


def test_an_installation_keeps_its_id(store: JobStore) -> None:
    store.folder.mkdir()
    assert store.site == store.site
    assert len(store.site) == 16
