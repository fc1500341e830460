from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.errors import (
    ArtifactError,
    BuildFailedError,
    HostNotReadyError,
    NodeUnreachableError,
    ProvisionerError,
)
from crossbuild.executors.layer_cache import LayerCache
from crossbuild.host.command import LineSink, capture
from crossbuild.jobs import patience
from crossbuild.jobs.bundle import worker_file
from crossbuild.jobs.places import Place, ThisHost
from crossbuild.jobs.sending import worker_at
from crossbuild.jobs.speaking import Worker, as_error
from crossbuild.model.architecture import Architecture
from crossbuild.model.codec import encode
from crossbuild.model.events import Event, Log
from crossbuild.model.job import Complaint, Ending, Outcome, Parcel, Receipt, WorkOrder
from tests.unit.model.test_codec import PLAN, SPEC

OTHER = next(arch for arch in Architecture if arch.value != os.uname().machine)
ORDER = WorkOrder(job="a-1", site="here", spec=replace(SPEC, arch=OTHER), layers=PLAN.layers, epoch=7)
"""Refused by every worker on this host, and so over at once."""


def quiet(_: object) -> None:
    """Hear nothing."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(name="arm1", jobs=PurePosixPath(tmp_path / "jobs"), shore=ThisHost())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Worker:
    """A worker that was sent once for all tests; starting Pythons takes most of their time."""
    folder = tmp_path_factory.mktemp("node")
    place = Place(name="arm1", jobs=PurePosixPath(folder / "jobs"), shore=ThisHost())
    return worker_at(place, folder / "cache")


@pytest.fixture
def worker(installed: Worker) -> Iterator[Worker]:
    """The same without any job."""
    yield installed
    jobs = Path(installed.place.jobs)
    jobs.chmod(0o700)
    for job in jobs.glob("[!.]*"):
        shutil.rmtree(job)


def test_the_worker_needs_nothing_but_pythons_own_library(tmp_path: Path) -> None:
    file = worker_file(tmp_path)
    load = "import sys; sys.path.insert(0, sys.argv[1]); import crossbuild.worker.work"
    capture([sys.executable, "-I", "-S", "-c", load, str(file)])


def test_the_same_modules_give_the_same_worker(tmp_path: Path) -> None:
    assert worker_file(tmp_path / "one").name == worker_file(tmp_path / "other").name


def test_what_was_sent_by_half_goes_after_a_day(worker: Worker, tmp_path: Path) -> None:
    fresh, old = (Path(worker.folder).with_name(f"sent.{name}") for name in ("fresh.part", "old.part"))
    fresh.touch()
    old.touch()
    os.utime(old, (0, 0))
    worker_at(worker.place, tmp_path / "cache")
    assert (fresh.exists(), old.exists()) == (True, False)


def test_a_worker_that_is_there_is_not_sent_again(worker: Worker, tmp_path: Path) -> None:
    class Sending(ThisHost):
        def send(self, source: Path, target: PurePosixPath) -> None:
            raise AssertionError(source)

    assert worker_at(replace(worker.place, shore=Sending()), tmp_path / "cache").folder == worker.folder


def test_several_clients_may_send_it_at_a_time(place: Place, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: worker_at(place, tmp_path / "cache"), range(4)))
    assert {worker.standings() for worker in found} == {()}
    assert [path.name for path in Path(place.jobs, ".workers").iterdir()] == [found[0].folder.name]


def test_a_job_that_fails_says_why(worker: Worker, tmp_path: Path) -> None:
    worker.commission(ORDER)
    worker.start("a-1")
    heard: list[Event] = []
    outcome = worker.follow("a-1", heard.append, quiet)
    assert outcome.ending is Ending.FAILED
    assert outcome.complaint
    assert isinstance(as_error(outcome.complaint, "arm1"), HostNotReadyError)
    assert OTHER in outcome.complaint.brief
    assert heard  # at least that it began
    (standing,) = worker.standings()
    assert (standing.job, standing.site, standing.running) == ("a-1", "here", False)
    worker.remove("a-1")
    assert worker.standings() == ()


def test_a_job_without_a_worker_has_vanished(worker: Worker, tmp_path: Path) -> None:
    worker.commission(ORDER)
    assert worker.follow("a-1", quiet, quiet) == Outcome(ending=Ending.VANISHED)


def test_a_job_that_nobody_works_on_can_be_cancelled(worker: Worker, tmp_path: Path) -> None:
    worker.commission(ORDER)
    worker.cancel("a-1")
    assert worker.follow("a-1", quiet, quiet).ending is Ending.CANCELLED


def test_a_job_is_handed_in_once(worker: Worker, tmp_path: Path) -> None:
    worker.commission(ORDER)
    with pytest.raises(HostNotReadyError, match="There is a job a-1 already"):
        worker.commission(ORDER)


@pytest.mark.parametrize("job", ["../a", "", ".cache", "a/b"])
def test_no_job_leads_out_of_the_folder_of_jobs(worker: Worker, job: str) -> None:
    with pytest.raises(HostNotReadyError, match="is no job"):
        worker.remove(job)


def test_a_folder_that_others_can_enter_is_refused(worker: Worker, tmp_path: Path) -> None:
    Path(worker.place.jobs).chmod(0o755)
    with pytest.raises(HostNotReadyError, match="not this user's alone"):
        worker.commission(ORDER)
    with pytest.raises(HostNotReadyError, match="not this user's alone"):
        worker_at(worker.place, tmp_path / "cache")


def test_nothing_is_sent_into_a_folder_that_a_link_leads_to(place: Place, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    Path(place.jobs).symlink_to("elsewhere")
    with pytest.raises(HostNotReadyError, match="not this user's alone"):
        worker_at(place, tmp_path / "cache")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_no_folder_above_the_jobs_is_made(tmp_path: Path) -> None:
    place = Place(name="arm1", jobs=PurePosixPath(tmp_path / "missing/jobs"), shore=ThisHost())
    with pytest.raises(HostNotReadyError, match="no place for builds"):
        worker_at(place, tmp_path / "cache")


class Failing(ThisHost):
    """Loses the connection after one line, again and again."""

    def __init__(self, times: int) -> None:
        self.times = times

    def stream(self, argv: Sequence[str], on_line: LineSink) -> None:
        lines: list[str] = []
        super().stream(argv, lines.append)
        for line in lines:
            on_line(line)
            if self.times:
                self.times -= 1
                raise NodeUnreachableError("The node arm1 cannot be reached.")


def with_events(worker: Worker, count: int) -> list[str]:
    """Make a job that is over and has said so many lines; return them."""
    folder = Path(worker.place.jobs, "a-1")
    folder.mkdir(mode=0o700)
    lines = [f"line {number} \u00e4" for number in range(count)]
    events = [encode(Log(phase="base", line=line)) for line in lines]
    (folder / "events").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    outcome = encode(Outcome(ending=Ending.DONE))
    (folder / "result.json").write_text(json.dumps(outcome))
    return lines


def test_nothing_is_told_twice_where_the_connection_is_lost(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.0)
    said = with_events(worker, 5)
    heard: list[Event] = []
    notices: list[str] = []
    lost = replace(worker, place=replace(worker.place, shore=Failing(3)))
    assert lost.follow("a-1", heard.append, notices.append).ending is Ending.DONE
    assert [event.line for event in heard if isinstance(event, Log)] == said
    assert len(notices) == 3


def test_a_host_that_stays_away_is_given_up(worker: Worker) -> None:
    attempts: list[str] = []

    class Away(ThisHost):
        def stream(self, argv: Sequence[str], on_line: LineSink) -> None:
            attempts.append(argv[0])
            assert len(attempts) < 3, "what ssh says was taken for a sign of life"
            on_line("ssh: connect to host arm1 port 22: Connection refused")
            raise NodeUnreachableError("The node arm1 cannot be reached.")

    away = replace(worker.place, shore=Away(), patience=0.01)
    with pytest.raises(NodeUnreachableError):
        replace(worker, place=away).follow("a-1", quiet, quiet)
    assert len(attempts) == 2


class Damaging(ThisHost):
    """Delivers other bytes, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def fetch(
        self, source: PurePosixPath, target: Path, *, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        super().fetch(source, target, on_bytes=on_bytes)
        if self.times:
            self.times -= 1
            target.write_bytes(b"\0" * target.stat().st_size)


@pytest.mark.parametrize(("times", "arrives"), [(0, True), (2, True), (3, False)])
def test_a_root_that_arrives_damaged_is_fetched_again(
    worker: Worker, tmp_path: Path, times: int, arrives: bool
) -> None:
    folder = Path(worker.place.jobs, "a-1")
    folder.mkdir()
    (folder / "changes.tar").write_bytes(b"root")
    parcel = Parcel(name="changes.tar", sha256=hashlib.sha256(b"root").hexdigest(), size=4)
    damaged = replace(worker, place=replace(worker.place, shore=Damaging(times)))
    if arrives:
        damaged.fetch("a-1", parcel, tmp_path / "root", quiet, quiet)
        assert (tmp_path / "root").read_bytes() == b"root"
    else:
        with pytest.raises(ArtifactError, match="does not arrive as it was packed"):
            damaged.fetch("a-1", parcel, tmp_path / "root", quiet, quiet)
        assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"ro", id="is not fetched again"),
        pytest.param(b"reed", id="gives way to what was packed"),
        pytest.param(b"rooted", id="and so does what is too long"),
    ],
)
def test_what_arrived_before(worker: Worker, tmp_path: Path, before: bytes) -> None:
    folder = Path(worker.place.jobs, "a-1")
    folder.mkdir()
    (folder / "changes.tar").write_bytes(b"root")
    (tmp_path / "root").write_bytes(before)
    parcel = Parcel(name="changes.tar", sha256=hashlib.sha256(b"root").hexdigest(), size=4)
    worker.fetch("a-1", parcel, tmp_path / "root", quiet, quiet)
    assert (tmp_path / "root").read_bytes() == b"root"


class Dropping(ThisHost):
    """Loses the connection after each byte of a file."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def fetch(
        self, source: PurePosixPath, target: Path, *, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        whole = Path(source).read_bytes()
        have = target.stat().st_size if target.exists() else 0
        self.asked.append(have)
        target.write_bytes(whole[: have + 1])
        assert on_bytes
        on_bytes(have + 1)
        if have + 1 < len(whole):
            raise NodeUnreachableError("The node arm1 cannot be reached.")


def test_a_root_goes_on_where_the_connection_was_lost(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.0)
    folder = Path(worker.place.jobs, "a-1")
    folder.mkdir()
    (folder / "changes.tar").write_bytes(b"root")
    parcel = Parcel(name="changes.tar", sha256=hashlib.sha256(b"root").hexdigest(), size=4)
    shore, told = Dropping(), list[str]()
    lost = replace(worker, place=replace(worker.place, shore=shore))
    lost.fetch("a-1", parcel, tmp_path / "root", quiet, told.append)
    assert (shore.asked, len(told)) == ([0, 1, 2, 3], 3)
    hasty = replace(worker, place=replace(worker.place, shore=Dropping(), patience=0))
    with pytest.raises(NodeUnreachableError):
        hasty.fetch("a-1", parcel, tmp_path / "again", quiet, quiet)


def test_an_error_of_a_node_keeps_its_kind_and_names_the_node() -> None:
    error = as_error(Complaint(kind="ProvisionerError", brief="b", details="d", resolution="r"), "arm1")
    assert isinstance(error, ProvisionerError)
    assert "arm1" in error.details


@pytest.mark.parametrize("kind", ["CommandFailedError", "TerminatedError", "annotations", "", "Unknown"])
def test_whatever_a_node_says_becomes_an_error_of_a_build(kind: str) -> None:
    complaint = Complaint(kind=kind, brief="b", details="", resolution="")
    assert type(as_error(complaint, "arm1")) is BuildFailedError


@pytest.mark.parametrize(
    ("kept", "complete"),
    [
        pytest.param((), False, id="nothing is kept"),
        pytest.param((0,), False, id="the first one is"),
        pytest.param((1,), True, id="the last one is enough"),
        pytest.param((0, 1), True, id="both are"),
    ],
)
def test_a_host_that_has_all_trees_says_so_and_begins(
    worker: Worker, kept: tuple[int, ...], complete: bool
) -> None:
    layers = [replace(PLAN.layers[0], key=key, kept=True) for key in ("base", "packages")]
    last = replace(PLAN.layers[0], key="configuration", kept=False)
    cache = LayerCache(Path(worker.place.jobs, ".cache/layers"), quiet)
    shutil.rmtree(Path(worker.place.jobs, ".cache"), ignore_errors=True)
    root = Path(worker.place.jobs, "root")
    root.mkdir()
    for number in kept:
        cache.keep(layers[number], root)
    receipt = worker.commission(replace(ORDER, layers=(*layers, last)))
    assert receipt == Receipt(tree=cache.sha256(layers[1]) if complete else "", begun=complete)
    ending = worker.follow("a-1", quiet, quiet).ending
    assert ending is (Ending.FAILED if complete else Ending.VANISHED), "it begins where it needs nothing else"
