"""How fast and how even slots are given out: no network, no nodes, only the ledger.

Usage: python -m benchmarks.scheduling FOLDER, on a disk like that of the state.
The exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import itertools
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crossbuild.model.architecture import Architecture
from crossbuild.model.node import Lease, Node
from crossbuild.nodes.choice import Demand
from crossbuild.nodes.holding import open_ledger
from crossbuild.nodes.leases import Ledger

BUILDS, PROCESSES = 100, 10
NODES, SLOTS, QUEUED = 1000, 4, 10_000
ROUNDS = 500
GOAL = 0.005
"""Seconds for a decision, at the median."""


def main() -> int:
    """Measure both, print them, and say whether the goals are met."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        apart = burst(Path(place) / "burst")
        print(f"{BUILDS} builds of {PROCESSES} processes at once on 4 idle nodes: at most {apart} apart")
        times = sorted(queue(Path(place) / "queue"))
    median, late = statistics.median(times), times[len(times) * 99 // 100]
    print(
        f"{NODES} nodes, {QUEUED} builds in line: a decision takes {1000 * median:.1f} ms,"
        f" 99 of 100 less than {1000 * late:.1f} ms"
    )
    return 0 if apart <= 1 and median < GOAL else 1


def burst(state: Path) -> int:
    """Return by how many the fullest and the emptiest node differed at the worst moment."""
    nodes = make_nodes(4, BUILDS // 4)
    taken, done = multiprocessing.Semaphore(0), multiprocessing.Event()
    arguments = (state, nodes, taken, done)
    processes = [multiprocessing.Process(target=take_some, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for _ in range(BUILDS):
        taken.acquire()
    ledger = Ledger(state)
    worst = worst_difference(ledger.leases(), nodes)
    ledger.close()
    done.set()
    for process in processes:
        process.join()
    return worst


def take_some(
    state: Path,
    nodes: Sequence[Node],
    taken: multiprocessing.synchronize.Semaphore,
    done: multiprocessing.synchronize.Event,
) -> None:
    with open_ledger(state) as ledger:
        for number in range(BUILDS // PROCESSES):
            ledger.acquire(ledger.enqueue(demand(number)), nodes)
            taken.release()
        done.wait()


def worst_difference(leases: Sequence[Lease], nodes: Sequence[Node]) -> int:
    """Return the largest difference while *leases* were given, one after the other."""
    counts = Counter({node.name: 0 for node in nodes})
    worst = 0
    for lease in leases:
        counts[lease.node] += 1
        worst = max(worst, max(counts.values()) - min(counts.values()))
    return worst


def queue(state: Path) -> list[float]:
    """Return how long each decision took while all slots were in use but one, and while none was free."""
    nodes, times = make_nodes(NODES, SLOTS), []
    with open_ledger(state) as ledger:
        running = [acquire(ledger, number, nodes) for number in range(NODES * SLOTS)]
        line = [ledger.enqueue(demand(number)) for number in range(QUEUED)]
        for first, ended, last in itertools.islice(zip(line, running, reversed(line), strict=False), ROUNDS):
            ledger.release(ended)
            for ticket in (first, last):
                begun = time.perf_counter()
                ledger.acquire(ticket, nodes)
                times.append(time.perf_counter() - begun)
    return times


def acquire(ledger: Ledger, number: int, nodes: Sequence[Node]) -> Lease:
    _, lease = ledger.acquire(ledger.enqueue(demand(number)), nodes)
    assert lease
    return lease


def demand(number: int) -> Demand:
    return Demand(job=str(number), arch=Architecture.AARCH64)


def make_nodes(count: int, slots: int) -> tuple[Node, ...]:
    return tuple(
        Node(
            name=f"node{number:04}",
            address=f"node{number:04}",
            arch=Architecture.AARCH64,
            slots=slots,
            host_keys=(),
            added="",
        )
        for number in range(count)
    )


if __name__ == "__main__":
    sys.exit(main())
