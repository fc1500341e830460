from __future__ import annotations

from pathlib import Path

from crossbuild.jobs.store import JobStore
from crossbuild.model.job import JobState
from crossbuild.pipeline.recording import recorded


def test_the_log_of_a_job_is_that_of_its_build(tmp_path: Path) -> None:
    store, log = JobStore(tmp_path), tmp_path / "log"
    log.write_text("first\n")
    with recorded(store, "node", tmp_path / "out", log) as job:
        pass
    log.unlink()
    assert store.log(job.id).read_text() == "first\n"
    assert store.load(job.id).state is JobState.DONE


def test_a_build_whose_log_another_one_replaced_goes_on(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    with recorded(store, "node", tmp_path / "out", tmp_path / "gone") as job:
        pass
    assert "at the same time" in store.log(job.id).read_text()
    assert store.load(job.id).state is JobState.DONE
