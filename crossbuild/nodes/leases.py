"""The ledger: which slots are taken, by whom, and who waits; shared by all crossbuild processes of a host.

A small SQLite database, since deciding and reserving must be one step, and quick with thousands in the queue.
It belongs to one boot of the host: what held a lease before has ended. Nothing in it is worth a sync to disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import StorageError
from crossbuild.host.processes import start_time
from crossbuild.model.node import Lease, Node
from crossbuild.nodes.choice import Choice, Demand, Load, Verdict, choose

HEARTBEAT = 10.0
"""Seconds between two signs of life of a process."""
EXPIRY = 45.0
"""Seconds after the last one at which all its leases are free, also where it still exists, stopped."""
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 600.0
"""Seconds for which a failing node gets nothing: twice as long each time, up to the second."""
PATIENCE = 20.0
"""Seconds that a process waits for the others' turns, each of which takes milliseconds."""
_SWEEP_EVERY = 1.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")

_TABLES = """
CREATE TABLE IF NOT EXISTS holders (id TEXT PRIMARY KEY, pid INTEGER, start INTEGER, expires REAL);
CREATE TABLE IF NOT EXISTS tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, arch TEXT, node TEXT,
  holder TEXT NOT NULL REFERENCES holders (id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS leases (id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT, job TEXT, reason TEXT,
  holder TEXT NOT NULL REFERENCES holders (id) ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS failures (node TEXT PRIMARY KEY, reason TEXT, until REAL, times INTEGER);
CREATE INDEX IF NOT EXISTS ticket_queue ON tickets (node, arch, id);
CREATE INDEX IF NOT EXISTS ticket_holder ON tickets (holder);
CREATE INDEX IF NOT EXISTS lease_node ON leases (node);
CREATE INDEX IF NOT EXISTS lease_holder ON leases (holder);
"""


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A place in the queue."""

    id: int
    demand: Demand


class Ledger:
    """This process's access; threads may share it. Whoever holds leases renews them: `holding.py` does it."""

    def __init__(self, state: Path) -> None:
        """Open the ledger below the folder *state* of the site; raise StorageError."""
        self._lock = threading.Lock()
        self._swept = 0.0
        self._start = start_time()
        self._path = state / "leases" / f"{_BOOT.read_text(encoding='ascii').strip()}.db"
        with self._storing():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for former in self._path.parent.glob("*.db*"):
                if not former.name.startswith(self._path.name):
                    former.unlink(missing_ok=True)
            self._database = sqlite3.connect(
                self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA journal_mode = TRUNCATE")
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
        self._holder = uuid.uuid4().hex
        self.renew()

    def enqueue(self, demand: Demand) -> Ticket:
        """Get in line; `acquire` serves those first who came first."""
        with self._turn() as database:
            number = database.execute(
                "INSERT INTO tickets (arch, node, holder) VALUES (?, ?, ?)",
                (demand.arch, demand.node, self._holder),
            ).lastrowid
        assert number is not None
        return Ticket(id=number, demand=demand)

    def acquire(self, ticket: Ticket, nodes: Sequence[Node]) -> tuple[Choice, Lease | None]:
        """Decide and reserve in one step; with a lease the ticket is used up, without it keeps its place."""
        demand = ticket.demand
        with self._turn() as database:
            # It has its old place again, where others took this process for dead.
            database.execute(
                "INSERT OR IGNORE INTO tickets VALUES (?, ?, ?, ?)",
                (ticket.id, demand.arch, demand.node, self._holder),
            )
            loads, waiting = self._loads(database, ticket, nodes)
            choice = choose(demand, loads, waiting=waiting)
            if choice.verdict is not Verdict.CHOSEN:
                return choice, None
            assert choice.node is not None
            number = database.execute(
                "INSERT INTO leases (node, job, reason, holder) VALUES (?, ?, ?, ?)",
                (choice.node.name, demand.job, choice.reason, self._holder),
            ).lastrowid
            database.execute("DELETE FROM tickets WHERE id = ?", (ticket.id,))
        assert number is not None
        return choice, Lease(id=number, node=choice.node.name, job=demand.job, reason=choice.reason)

    def leave(self, ticket: Ticket) -> None:
        """Get out of the line."""
        with self._turn() as database:
            database.execute("DELETE FROM tickets WHERE id = ?", (ticket.id,))

    def release(self, lease: Lease) -> None:
        """Give the slot back; nothing happens if it is free already."""
        with self._turn() as database:
            database.execute("DELETE FROM leases WHERE id = ?", (lease.id,))

    def renew(self) -> None:
        """Give a sign of life: all that this process holds stays its own."""
        with self._turn():
            pass

    def leases(self) -> tuple[Lease, ...]:
        """Return what is taken now, by any process of this host, the oldest first."""
        with self._turn() as database:
            rows = database.execute("SELECT id, node, job, reason FROM leases ORDER BY id").fetchall()
        return tuple(Lease(id=row[0], node=row[1], job=row[2], reason=row[3]) for row in rows)

    def report_failure(self, node: str, reason: str) -> None:
        """Let the node *node* get nothing for a while, the longer the more often it failed."""
        with self._turn() as database:
            found = database.execute("SELECT times FROM failures WHERE node = ?", (node,)).fetchone()
            times = found[0] + 1 if found else 1
            pause = min(FIRST_PAUSE * 2 ** min(times - 1, 10), LONGEST_PAUSE)
            database.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)",
                (node, reason, time.monotonic() + pause, times),
            )

    def report_success(self, node: str) -> None:
        """Forget that the node *node* ever failed."""
        with self._turn() as database:
            database.execute("DELETE FROM failures WHERE node = ?", (node,))

    def failing(self) -> dict[str, str]:
        """Return why nodes get nothing at present, by name."""
        with self._turn() as database:
            return self._failing(database)

    def close(self) -> None:
        """Give back all that this process holds, and its places in the queue."""
        with self._turn() as database:
            database.execute("DELETE FROM holders WHERE id = ?", (self._holder,))
        self._database.close()

    def _loads(
        self, database: sqlite3.Connection, ticket: Ticket, nodes: Sequence[Node]
    ) -> tuple[list[Load], int]:
        taken = dict(database.execute("SELECT node, count(*) FROM leases GROUP BY node").fetchall())
        claimed = dict(
            database.execute(
                "SELECT node, count(*) FROM tickets WHERE node > '' AND id < ? GROUP BY node", (ticket.id,)
            ).fetchall()
        )
        (waiting,) = database.execute(
            "SELECT count(*) FROM tickets WHERE node = '' AND arch = ? AND id < ?",
            (ticket.demand.arch, ticket.id),
        ).fetchone()
        failing = self._failing(database)
        loads = [
            Load(
                node=node,
                taken=taken.get(node.name, 0),
                claimed=claimed.get(node.name, 0),
                failing=failing.get(node.name, ""),
            )
            for node in nodes
        ]
        return loads, waiting

    def _failing(self, database: sqlite3.Connection) -> dict[str, str]:
        now = time.monotonic()
        return dict(database.execute("SELECT node, reason FROM failures WHERE until > ?", (now,)).fetchall())

    @contextlib.contextmanager
    def _turn(self) -> Iterator[sqlite3.Connection]:
        """Let the block see and change the ledger while no other thread or process does."""
        with self._lock, self._storing():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._appear()
                self._sweep()
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _appear(self) -> None:
        """Give a sign of life, also after a pause so long that others took this process for dead."""
        self._database.execute(
            "INSERT INTO holders VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET expires = excluded.expires",
            (self._holder, os.getpid(), self._start, time.monotonic() + EXPIRY),
        )

    def _sweep(self) -> None:
        """Take from the dead, and from those who gave no sign of life in time."""
        now = time.monotonic()
        if now - self._swept < _SWEEP_EVERY:
            return
        self._swept = now
        rows = self._database.execute("SELECT id, pid, start, expires FROM holders").fetchall()
        gone = [
            (number,) for number, pid, start, expires in rows if expires < now or start_time(pid) != start
        ]
        self._database.executemany("DELETE FROM holders WHERE id = ?", gone)

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"Cannot use the ledger of leases {self._path}.",
                details=str(error),
                resolution="Free some space there. A damaged ledger may be deleted while no build runs.",
            ) from error
