from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossbuild.cli.main import run
from crossbuild.jobs.store import JobStore
from crossbuild.model.job import JobState
from crossbuild.pipeline.jobs import Condition
from tests.documents import column
from tests.unit.jobs.test_store import VENUE, WORK


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(f"state: {tmp_path}/state\n")
    return str(path)


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "state")


def failed(store: JobStore) -> str:
    with store.opened("compute", Path("/out/compute")) as job:
        store.commission(job, VENUE, WORK)
        store.log(job.id).write_text("what was said\n")
        store.close(job.id, JobState.FAILED, "It broke.")
    return job.id


def test_a_list_of_nothing_is_empty(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", config, "job", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_job_is_listed_with_where_it_ran(
    config: str, store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed(store)
    assert run(["-C", config, "job", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if job in line]
    assert line.split()[1:3] == ["failed", "arm1"]


def test_every_key_of_a_job_is_documented(
    config: str, store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed(store)
    assert run(["-C", config, "job", "show", "--json", job[:9]]) == 0
    told = json.loads(capsys.readouterr().out)
    assert column("docs/reference/jobs.md", "# Jobs") == list(told)
    assert (told["brief"], told["venue"], told["reason"]) == ("It broke.", "arm1", "it is free")


def test_every_condition_of_a_job_is_documented() -> None:
    assert column("docs/reference/jobs.md", "## Conditions") == list(Condition)


def test_the_log_of_a_job_is_its_own(
    config: str, store: JobStore, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed(store)
    assert run(["-C", config, "job", "logs", "--follow", job]) == 0
    assert capsys.readouterr().out == "what was said\n"


@pytest.mark.parametrize("command", ["show", "logs", "attach", "cancel"])
def test_a_job_that_is_not_there_is_told_so(
    config: str, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossbuild.host.namespace.become_root", lambda _site: None)
    monkeypatch.setattr("crossbuild.pipeline.jobs.require_root", lambda: None)
    assert run(["-C", config, "job", command, "missing"]) == 2
    assert "There is no job `missing`" in capsys.readouterr().err
