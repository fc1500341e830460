from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.errors import UsageError
from crossbuild.host.locks import held
from crossbuild.model.codec import encode
from crossbuild.model.job import Ending, Outcome, Standing
from crossbuild.worker.folder import JobFolder, all_folders
from tests.unit.jobs.test_speaking import ORDER


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    path = tmp_path / "a-1"
    path.mkdir()
    (path / "order.json").write_text(json.dumps(encode(ORDER)))
    return JobFolder(path)


def test_a_job_stands_as_its_worker_says(folder: JobFolder) -> None:
    with held(folder.lock):
        assert folder.standing() == Standing(job="a-1", site="here", running=True, ending=None)
    assert folder.standing().ending is Ending.VANISHED
    folder.conclude(Outcome(ending=Ending.FAILED))
    assert folder.standing().ending is Ending.FAILED


def test_a_damaged_order_is_nobodys(folder: JobFolder) -> None:
    (folder.path / "order.json").write_text("{")
    assert folder.standing().site == ""
    with pytest.raises(UsageError, match="holds no job"):
        folder.order()


def test_a_half_written_result_is_none(folder: JobFolder) -> None:
    (folder.path / "result.json").write_text('{"is": "Outcome"')
    assert folder.outcome() is None


def test_a_job_that_is_worked_on_is_not_removed(folder: JobFolder) -> None:
    with held(folder.lock), pytest.raises(UsageError, match="still running"):
        folder.remove()
    folder.remove()
    assert not folder.path.exists()


def test_only_folders_with_an_order_are_jobs(folder: JobFolder) -> None:
    jobs = folder.path.parent
    (jobs / "other").mkdir()
    (jobs / ".cache").mkdir()
    (jobs / "file").touch()
    assert [found.path.name for found in all_folders(jobs)] == ["a-1"]
