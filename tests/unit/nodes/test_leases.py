"""A slot is taken once, in the order of the queue, and is free again whatever becomes of its holder."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossbuild.errors import ProvisionerError, StorageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Lease, Node
from crossbuild.nodes import leases
from crossbuild.nodes.choice import Demand, Verdict
from crossbuild.nodes.holding import leased, open_ledger
from crossbuild.nodes.leases import Ledger, Ticket
from tests.unit.nodes.values import make_node

FOUR = tuple(make_node(name=f"n{number}", slots=25) for number in range(4))
ONE = (make_node(name="n0", slots=1),)
FORK = multiprocessing.get_context("fork")


def demand(job: str = "j", node: str = "") -> Demand:
    return Demand(job=job, arch=Architecture.AARCH64, node=node)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setattr(leases, "_SWEEP_EVERY", 0.0)
    found = Ledger(tmp_path)
    yield found
    found.close()


def take(ledger: Ledger, nodes: Sequence[Node], **wanted: str) -> Lease:
    _, lease = ledger.acquire(ledger.enqueue(demand(**wanted)), nodes)
    assert lease
    return lease


def spread(ledger: Ledger, nodes: Sequence[Node]) -> int:
    taken = Counter(lease.node for lease in ledger.leases())
    counts = [taken[node.name] for node in nodes]
    return max(counts) - min(counts)


def test_a_hundred_builds_at_once_are_never_more_than_one_apart(ledger: Ledger) -> None:
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: (take(ledger, FOUR), spread(ledger, FOUR[:1]))[0], range(100)))
    # Each lease knows how many its node had when it was chosen: none was chosen that had more than another.
    assert Counter(lease.node for lease in found) == {node.name: 25 for node in FOUR}
    for position, lease in enumerate(sorted(found, key=lambda one: one.id)):
        assert f"with {position // 4} of its 25 slots in use" in lease.reason


def test_a_queue_keeps_nodes_even_while_builds_end(ledger: Ledger) -> None:
    nodes = tuple(make_node(name=f"n{number}", slots=2) for number in range(4))
    queue = [ledger.enqueue(demand(str(number))) for number in range(100)]
    running: list[Lease] = []
    while queue:
        _, lease = ledger.acquire(queue[0], nodes)
        if lease:
            queue.pop(0)
            running.append(lease)
            assert spread(ledger, nodes) <= 1
        else:
            ledger.release(running.pop(len(queue) % len(running)))
    assert [int(lease.job) for lease in ledger.leases()] == sorted(
        int(lease.job) for lease in ledger.leases()
    )


def _burst(state: Path, start: multiprocessing.synchronize.Event, count: int) -> None:
    with open_ledger(state) as ledger:
        start.wait()
        for _ in range(count):
            take(ledger, FOUR)
        signal.pause()


def test_processes_at_once_never_give_a_slot_twice(ledger: Ledger, tmp_path: Path) -> None:
    start = FORK.Event()
    children = [FORK.Process(target=_burst, args=(tmp_path, start, 25)) for _ in range(4)]
    for child in children:
        child.start()
    start.set()
    try:
        until(lambda: len(ledger.leases()) == 100)
        assert spread(ledger, FOUR) == 0
        choice, _ = ledger.acquire(ledger.enqueue(demand()), FOUR)
        assert choice.verdict is Verdict.BUSY
    finally:
        for child in children:
            child.kill()
            child.join()
    assert ledger.leases() == ()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_process_that_nobody_has_waited_for_holds_nothing(ledger: Ledger, tmp_path: Path) -> None:
    start = FORK.Event()
    start.set()
    child = FORK.Process(target=_burst, args=(tmp_path, start, 1))
    child.start()
    until(lambda: len(ledger.leases()) == 1)
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: ledger.leases() == ())
    child.join()


def test_who_gives_no_sign_of_life_loses_the_slot_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_SWEEP_EVERY", 0.0)
    sleeper, other = Ledger(tmp_path), Ledger(tmp_path)
    lease = take(sleeper, ONE)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + leases.EXPIRY + 1)
    other.renew()
    taken = take(other, ONE)
    assert sleeper.leases() == (taken,)
    sleeper.release(lease)
    assert other.leases() == (taken,)


def test_signs_of_life_keep_a_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_SWEEP_EVERY", 0.0)
    holder, other = Ledger(tmp_path), Ledger(tmp_path)
    lease = take(holder, ONE)
    now = time.monotonic()
    for step in range(1, 5):
        monkeypatch.setattr(time, "monotonic", lambda step=step: now + step * (leases.EXPIRY - 1))
        holder.renew()
        other.renew()
    assert other.leases() == (lease,)


def test_nobody_is_overtaken(ledger: Ledger) -> None:
    held = take(ledger, ONE)
    first, second = ledger.enqueue(demand("first")), ledger.enqueue(demand("second"))
    ledger.release(held)
    assert ledger.acquire(second, ONE)[1] is None
    assert ledger.acquire(first, ONE)[1] is not None


def test_who_waits_for_a_busy_node_does_not_hold_up_others(ledger: Ledger) -> None:
    nodes = (make_node(name="n0", slots=1), make_node(name="n1", slots=1))
    take(ledger, nodes, node="n0")
    pinned = ledger.enqueue(demand("pinned", node="n0"))
    assert ledger.acquire(pinned, nodes)[1] is None
    assert take(ledger, nodes).node == "n1"


def test_who_left_the_line_holds_up_nobody(ledger: Ledger) -> None:
    first, second = ledger.enqueue(demand()), ledger.enqueue(demand())
    ledger.leave(first)
    assert ledger.acquire(second, ONE)[1] is not None


def test_a_place_in_the_queue_survives_a_long_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_SWEEP_EVERY", 0.0)
    sleeper, other = Ledger(tmp_path), Ledger(tmp_path)
    early: Ticket = sleeper.enqueue(demand("early"))
    late = other.enqueue(demand("late"))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + leases.EXPIRY + 1)
    assert other.acquire(late, ())[1] is None
    assert sleeper.acquire(early, ())[1] is None
    assert other.acquire(late, ONE)[1] is None
    assert sleeper.acquire(early, ONE)[1] is not None


def test_a_failing_node_rests_longer_each_time_until_it_works(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    for times, pause in enumerate([30, 60, 120, 240, 480, 600, 600]):
        monkeypatch.setattr(time, "monotonic", lambda: now)
        ledger.report_failure("n0", f"reason {times}")
        monkeypatch.setattr(time, "monotonic", lambda pause=pause: now + pause - 1)
        choice, _ = ledger.acquire(ledger.enqueue(demand()), ONE)
        assert (choice.verdict, choice.reason) == (Verdict.NONE, f"n0 fails: reason {times}")
        monkeypatch.setattr(time, "monotonic", lambda pause=pause: now + pause + 1)
        assert ledger.failing() == {}
    ledger.report_success("n0")
    monkeypatch.setattr(time, "monotonic", lambda: now)
    ledger.report_failure("n0", "again")
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    assert ledger.failing() == {}


def test_a_lease_lasts_as_long_as_its_block(ledger: Ledger) -> None:
    with leased(ledger, demand("job"), lambda: ONE, wait=False) as lease:
        assert ledger.leases() == (lease,)
        with (
            pytest.raises(ProvisionerError, match="No slot is free"),
            leased(ledger, demand("more"), lambda: ONE, wait=False),
        ):
            pass
    assert ledger.leases() == ()
    # Who gave up is not in line any more, ahead of this one.
    ledger.release(take(ledger, ONE))
    with (
        pytest.raises(ProvisionerError, match="No node can take job") as caught,
        leased(ledger, demand("job"), lambda: (), wait=True),
    ):
        pass
    assert "no node of architecture" in caught.value.details


def test_who_waits_is_told_once_and_gets_the_slot(tmp_path: Path) -> None:
    told: list[str] = []
    with open_ledger(tmp_path) as ledger, ThreadPoolExecutor(1) as pool:
        held = take(ledger, ONE)

        def wait() -> str:
            with leased(ledger, demand("late"), lambda: ONE, wait=True, notice=told.append) as lease:
                return lease.job

        waiting = pool.submit(wait)
        until(lambda: bool(told))
        ledger.release(held)
        assert waiting.result() == "late"
    assert told == ["Waiting for a slot: 1 of 1 slots of n0 are in use."]


def test_the_ledger_of_another_boot_counts_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = Ledger(tmp_path)
    take(former, ONE)
    (tmp_path / "boot").write_text("another\n")
    monkeypatch.setattr(leases, "_BOOT", tmp_path / "boot")
    assert Ledger(tmp_path).leases() == ()
    assert [path.name for path in (tmp_path / "leases").glob("*.db")] == ["another.db"]


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    Ledger(tmp_path)
    (path,) = (tmp_path / "leases").glob("*.db")
    path.write_bytes(b"no database, and longer than its header would be" * 10)
    with pytest.raises(StorageError, match=str(path)) as caught:
        Ledger(tmp_path)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
