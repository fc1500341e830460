"""Hears how processes of this host end: the kernel's taskstats, over generic netlink.

Sources: Linux, Documentation/accounting/taskstats.rst, and the headers taskstats.h, genetlink.h and netlink.h
in include/uapi/linux.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crossbuild.acceleration.times import Process

NETLINK_GENERIC = 16
SO_RCVBUFFORCE = 33
"""Both are missing in `socket`; the second is from include/uapi/asm-generic/socket.h."""
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK = 0x1, 0x4
NLA_TYPE_MASK = 0x3FFF
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK = 1, 3
TASKSTATS_TYPE_STATS, TASKSTATS_TYPE_AGGR_PID = 3, 4

MESSAGE = 1 << 14
"""Bytes that no message of taskstats reaches."""
HEADERS = struct.Struct("=IHHIIBBH")
"""`struct nlmsghdr` (length, type, flags, sequence, port), then `struct genlmsghdr` (command, version)."""
REPLY = struct.Struct("=4xH10xi")
"""Of `struct nlmsghdr` the type, then the negative errno of `struct nlmsgerr`, 0 for consent."""
ATTRIBUTE = struct.Struct("=HH")
"""`struct nlattr`: length with this header, type; the next one begins at a multiple of 4."""
TASK = struct.Struct("=H6xB71x32s16xII16xQQ200xI4xQ")
"""`struct taskstats`: version, ac_flag, ac_comm, ac_pid, ac_ppid, ac_utime, ac_stime, ac_tgid, ac_tgetime."""
MIN_VERSION = 12
"""Linux 5.19: the first that says which threads are of one process."""
AFORK, AGROUP = 0x01, 0x20
"""In ac_flag (include/uapi/linux/acct.h): has not executed a program; was the last of its process."""

QUEUE = 16 << 20
"""Bytes that the kernel may keep for us: room for some 8000 messages."""
LIMIT = 300_000
"""Processes that are remembered, in some 70 MB."""
POSSIBLE_CPUS = Path("/sys/devices/system/cpu/possible")
SOCKETS = Path("/proc/net/netlink")


@dataclass
class Heard:
    """The processes that ended, in that order."""

    processes: list[Process] = field(default_factory=list)
    lost: int = 0
    """How many ends were missed, because too many came at once or in all."""


@contextlib.contextmanager
def listening() -> Iterator[Heard]:
    """Collect the processes that end while the block runs; the list is complete behind it.

    It stays empty where the kernel tells nothing: without CAP_NET_ADMIN, outside the first user and PID
    namespaces, and before Linux 5.19.
    """
    heard = Heard()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(_collecting(stack.enter_context(_registered()), heard))
        yield heard


class Threads:
    """Puts the threads of processes together."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Threads] = {}

    def add(self, message: bytes, moment: int) -> Process | None:
        """Return the process whose last thread *message* tells of, received at *moment*; else None.

        Messages that are something else, or of an older kernel, are passed over.
        """
        task = _task(message)
        if task is None:
            return None
        threads = self._waiting.pop(task.process, None)
        if threads is None or task.thread == task.process:
            # Only the first thread's flags say whether a program was executed.
            executed = task.thread != task.process or not task.flags & AFORK
            name = os.fsdecode(task.name.rstrip(b"\0"))
            threads = _Threads(name=name, executed=executed, cpu=threads.cpu if threads else 0)
        threads.cpu += (task.user + task.system) * 1000
        if not task.flags & AGROUP:
            self._waiting[task.process] = threads
            return None
        return Process(
            id=task.process,
            parent=task.parent,
            name=threads.name,
            executed=threads.executed,
            began=moment - task.elapsed * 1000,
            ended=moment,
            cpu=threads.cpu,
        )


class _Task(NamedTuple):
    """The fields of TASK: times in microseconds, *elapsed* of the whole process."""

    version: int
    flags: int
    name: bytes
    thread: int
    parent: int
    user: int
    system: int
    process: int
    elapsed: int


@dataclass
class _Threads:
    """Those of one process that have ended."""

    name: str
    executed: bool
    cpu: int


def _task(message: bytes) -> _Task | None:
    """Return what *message* tells of one thread."""
    outer = dict(_attributes(message[HEADERS.size :]))
    inner = dict(_attributes(outer.get(TASKSTATS_TYPE_AGGR_PID, b"")))
    stats = inner.get(TASKSTATS_TYPE_STATS, b"")
    task = _Task(*TASK.unpack_from(stats)) if len(stats) >= TASK.size else None
    return task if task and task.version >= MIN_VERSION else None


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + ATTRIBUTE.size <= len(content):
        length, kind = ATTRIBUTE.unpack_from(content, at)
        if length < ATTRIBUTE.size:
            return
        yield kind & NLA_TYPE_MASK, content[at + ATTRIBUTE.size : at + length]
        at += length + -length % 4


@contextlib.contextmanager
def _registered() -> Iterator[socket.socket]:
    """Open a socket that hears the ends of processes on all CPUs; raise OSError where that is refused."""
    cpus = POSSIBLE_CPUS.read_bytes().strip() + b"\0"
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as connection:
        connection.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, QUEUE)
        connection.bind((0, 0))
        family = _family(connection)
        _send(connection, family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus)
        _await_consent(connection)
        connection.settimeout(0)
        yield connection


def _family(connection: socket.socket) -> int:
    """Return the number that the kernel gave to taskstats when it started."""
    _send(connection, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, b"TASKSTATS\0")
    answer = _await_consent(connection)
    numbers = dict(_attributes(answer[HEADERS.size :]))
    return int.from_bytes(numbers[CTRL_ATTR_FAMILY_ID], sys.byteorder)


def _send(connection: socket.socket, family: int, command: int, attribute: int, value: bytes) -> None:
    length = ATTRIBUTE.size + len(value)
    content = ATTRIBUTE.pack(length, attribute) + value + bytes(-length % 4)
    header = HEADERS.pack(HEADERS.size + len(content), family, NLM_F_REQUEST | NLM_F_ACK, 0, 0, command, 1, 0)
    connection.send(header + content)


def _await_consent(connection: socket.socket) -> bytes:
    """Return what the kernel answered before its consent; raise OSError if it refuses (netlink(7))."""
    answer = b""
    while True:
        message = connection.recv(MESSAGE)
        kind, error = REPLY.unpack_from(message)
        if kind == NLMSG_ERROR:
            if error:
                raise OSError(-error, os.strerror(-error), "taskstats")
            return answer
        answer = message


@contextlib.contextmanager
def _collecting(connection: socket.socket, heard: Heard) -> Iterator[None]:
    """Fill *heard* in a thread while the block runs, and with what the kernel has told until its end."""
    stop = os.eventfd(0, os.EFD_CLOEXEC)
    thread = threading.Thread(target=_collect, args=(connection, stop, heard), daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.eventfd_write(stop, 1)
        thread.join()
        os.close(stop)
        heard.lost += _dropped(connection)


def _collect(connection: socket.socket, stop: int, heard: Heard) -> None:
    threads = Threads()
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    waiting.register(stop, select.POLLIN)
    stopping = False
    while not stopping:
        stopping = any(file == stop for file, _ in waiting.poll())
        for message in _queued(connection):
            process = threads.add(message, time.monotonic_ns())
            if process and len(heard.processes) < LIMIT:
                heard.processes.append(process)
            elif process:
                heard.lost += 1


def _queued(connection: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield connection.recv(MESSAGE)
        except OSError as error:
            # Said once after the queue was full; what is in it is whole (netlink(7)).
            if error.errno != errno.ENOBUFS:
                return


def _dropped(connection: socket.socket) -> int:
    """Return how many messages found no room in the queue (column Drops of SOCKETS, by Inode)."""
    inode = str(os.fstat(connection.fileno()).st_ino)
    rows = (line.split() for line in SOCKETS.read_text(encoding="ascii").splitlines())
    return next((int(row[-2]) for row in rows if row[-1] == inode), 0)
