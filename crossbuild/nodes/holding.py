"""Holds leases for as long as they are used: signs of life in the background, patience in the queue."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from crossbuild.errors import ProvisionerError, StorageError
from crossbuild.host.locks import NoticeSink
from crossbuild.model.node import Lease, Node
from crossbuild.nodes.choice import Choice, Demand, Verdict
from crossbuild.nodes.leases import HEARTBEAT, Ledger, Ticket

POLL = 0.2
"""Seconds between two looks whether a slot is free."""


@contextlib.contextmanager
def open_ledger(state: Path) -> Iterator[Ledger]:
    """Yield the ledger below the folder *state*, kept alive by a thread; at the end nothing is held any more.

    Whatever ends this process gives its leases back, too: `kill -9` at the next look of anybody.
    """
    ledger = Ledger(state)
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT):
            # A disk that is full now may have space at the next beat, long before leases expire.
            with contextlib.suppress(StorageError):
                ledger.renew()

    thread = threading.Thread(target=beat, name="leases", daemon=True)
    thread.start()
    try:
        yield ledger
    finally:
        ended.set()
        thread.join()
        ledger.close()


@contextlib.contextmanager
def leased(
    ledger: Ledger,
    demand: Demand,
    nodes: Callable[[], Sequence[Node]],
    *,
    wait: bool,
    notice: NoticeSink = lambda _: None,
) -> Iterator[Lease]:
    """Hold a slot for *demand* on one of *nodes* for the length of the block; in line with others if *wait*.

    *nodes* is asked again at each look, so that nodes may come and go. *notice* is told once that it waits.
    Raises ProvisionerError with the reason where no node can take it, or none without waiting.
    """
    ticket = ledger.enqueue(demand)
    try:
        lease = _acquired(ledger, ticket, nodes, wait=wait, notice=notice)
    except BaseException:
        ledger.leave(ticket)
        raise
    try:
        yield lease
    finally:
        ledger.release(lease)


def _acquired(
    ledger: Ledger, ticket: Ticket, nodes: Callable[[], Sequence[Node]], *, wait: bool, notice: NoticeSink
) -> Lease:
    told = False
    while True:
        choice, lease = ledger.acquire(ticket, nodes())
        if lease:
            return lease
        if choice.verdict is Verdict.NONE or not wait:
            raise _no_slot(ticket.demand, choice)
        if not told:
            notice(f"Waiting for a slot: {choice.reason}.")
            told = True
        time.sleep(POLL)


def _no_slot(demand: Demand, choice: Choice) -> ProvisionerError:
    if choice.verdict is Verdict.BUSY:
        return ProvisionerError(
            f"No slot is free for {demand.job}.",
            details=f"{choice.reason}.",
            resolution="Run it again later, or let it wait with `offload.fallback: queue`.",
        )
    return ProvisionerError(
        f"No node can take {demand.job}.",
        details=f"{choice.reason}.",
        resolution="`crossbuild node status` shows what is wrong with each; `--on local` builds here.",
    )
