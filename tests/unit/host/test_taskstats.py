"""Messages of taskstats: what threads add up to, and how they are heard."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import zlib
from base64 import b85decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.acceleration.times import Process
from crossbuild.host import taskstats
from crossbuild.host.taskstats import Threads, listening

# What Linux 6.18 sent as an emulated useradd and a copy of it ended: two threads each, the second one qemu's.
COPY, COPY_LAST, USERADD, USERADD_LAST = (
    zlib.decompress(b85decode(text))
    for text in (
        (
            "c-jkLVqlPGU|^Ud!2kwKj0_A8Oe_o>42%p%r5PAZn3x#^Koa!~42)b*H4utH@EHSffYTOCrLHyr)1}3!MTsdX48#JEJ5~d+P"
            "c=g}h`)meBEEnhRb3n-DqpJ^LPxyg1=D|2ApC}j%nZ~3Fze9W0rM{*0P_zv|04U7;U9$BufRi;xl?)|bZsQVfB*oBsu>>"
        ),
        (
            "c-ou7!oVQUz`!t9f&mPe7#SEGm{=G%7#JCjNi#5*FflU-fF$Y}7!0_eY9JKD!YV-qQos{&2whs7T9lZQLbN`RJ5~d+Pc=g}h"
            "@Z>DKo<C;0-+lwGBZ#D7#XMoVE#b|N2MY3Nti$XL8$!-#Cbf-7ZNYtx(ovX9GF;v>4ypI4|w`P0xVE^Q-Tn226EbhDbK?ORB"
            "@k@B!phTKQQ6LNGKga{X0-#pwkZk`Vktq"
        ),
        (
            "c-jkLVqlPGU|^Uh!2kwKj0_A8Oe_o>42%q`r5PAZn3x#^7@%@o5ZV{YH@aiPKopp8ff+<Odrb$^rNya5i76=z!~&2zmIJX*H"
            "A6Ot|1XjeEZ(piBHv&Kp>^0%_4Qiufa##L+hE$j93n1rlLf-)fGXr5<bEh^0HL&?TqP)t?hcrL2?3aYu=y9+pA7#X)P4mXqQ"
            "dLf8%RLBWn~x;005<mAhr"
        ),
        (
            "c-ou7!oVQUz`!tHf&mPe7#SEGm{=G%7#JDWNHZ{)FflU-K%^K9xF9q$lwYhU#y|?#-3Xyei&KjdQ&Nc52Xe=9Aoi(d$OiGh1"
            "TbP%$4I~&19J#1bCZRE62Qbj9RTwWI#?|Yq4}bqKKcit_ABrZWiIa@Q81mR$}k|nfr%BEewe`iKu$j}5CEl@{tY6|zzG+?N$"
            "%h2>CDt{--lI@7;M-L;WyaPH+*!Uv=RaT4ip&Z^aB6~pdpI"
        ),
    )
)
MOMENT = 1_000_000_000
MESSAGES = (COPY, COPY_LAST, USERADD, USERADD_LAST)
STATS = taskstats.HEADERS.size + 3 * taskstats.ATTRIBUTE.size + 4
"""Where `struct taskstats` begins in each of them, behind the id of the thread."""


def ended(*messages: bytes) -> list[Process]:
    threads = Threads()
    found = (threads.add(message, MOMENT) for message in messages)
    return [process for process in found if process]


def test_the_threads_of_a_process_count_as_one() -> None:
    assert ended(*MESSAGES) == [
        Process(
            id=7109,
            parent=7083,
            name="useradd",
            executed=False,
            began=MOMENT - 3_273_000,
            ended=MOMENT,
            cpu=4_000_000,
        ),
        Process(
            id=7083,
            parent=7079,
            name="useradd",
            executed=True,
            began=MOMENT - 88_590_000,
            ended=MOMENT,
            cpu=64_000_000,
        ),
    ]


def test_threads_of_several_processes_may_end_mixed() -> None:
    mixed = ended(COPY, USERADD, USERADD_LAST, COPY_LAST)
    assert sorted(mixed, key=lambda process: -process.id) == ended(*MESSAGES)


def altered(message: bytes, at: int, value: bytes) -> bytes:
    """Return *message* with *value* at byte *at* of its first `struct taskstats`."""
    return message[: STATS + at] + value + message[STATS + at + len(value) :]


def test_a_process_is_what_its_first_thread_says_also_if_that_ends_last() -> None:
    other = altered(altered(altered(USERADD_LAST, 8, b"\0"), 80, b"worker\0\0"), 152, b"\xe8\x03")
    first = altered(COPY, 368, (7109).to_bytes(4, "little"))
    (process,) = ended(altered(other, 368, (7109).to_bytes(4, "little")), altered(first, 8, b"\x21"))
    assert (process.name, process.executed, process.cpu) == ("useradd", False, 5_000_000)


def test_flags_in_the_type_of_an_attribute_are_not_minded() -> None:
    at = taskstats.HEADERS.size + 3
    assert ended(USERADD_LAST[:at] + b"\x80" + USERADD_LAST[at + 1 :]) == ended(USERADD_LAST)


def test_a_process_whose_first_thread_went_unheard_keeps_its_name_and_times() -> None:
    (process,) = ended(USERADD_LAST)
    assert (process.name, process.ended - process.began, process.cpu) == ("useradd", 88_590_000, 0)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(USERADD_LAST[:STATS] + b"\x0b" + USERADD_LAST[STATS + 1 :], id="older kernel"),
        pytest.param(USERADD_LAST[:200], id="cut off"),
        pytest.param(USERADD_LAST[: taskstats.HEADERS.size] + bytes(8), id="attribute without a length"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_message_that_is_something_else_is_passed_over(message: bytes) -> None:
    assert ended(message) == []


def test_the_message_of_the_older_kernel_is_otherwise_a_good_one() -> None:
    assert USERADD_LAST[STATS] == 16


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The other end of the socket that is listened to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    @contextlib.contextmanager
    def registered() -> Iterator[socket.socket]:
        with Overflowing(fileno=ours.detach()) as connection:
            connection.settimeout(0)
            yield connection

    monkeypatch.setattr(taskstats, "_registered", registered)
    with ours, theirs:
        yield theirs


class Overflowing(socket.socket):
    """Says once that its queue was full, as netlink(7) does."""

    said = False

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if not self.said:
            self.said = True
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        return super().recv(size, flags)


def test_all_that_was_told_before_the_end_of_the_block_is_heard(kernel: socket.socket) -> None:
    with listening() as heard:
        for message in MESSAGES * 100:
            kernel.send(message)
    assert [process.id for process in heard.processes] == [7109, 7083] * 100
    assert heard.lost == 0


def test_what_is_too_much_to_remember_is_counted(
    kernel: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taskstats, "LIMIT", 1)
    with listening() as heard:
        for message in MESSAGES:
            kernel.send(message)
    assert [process.id for process in heard.processes] == [7109]
    assert heard.lost == 1


def test_what_found_no_room_in_the_queue_is_counted(
    kernel: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "netlink"
    monkeypatch.setattr(taskstats, "SOCKETS", table)

    def dropping(connection: socket.socket) -> int:
        inode = os.fstat(connection.fileno()).st_ino
        table.write_text(
            "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
            "000000008eba9ff1 0   0          00000000 0        0        0     2        0        4       \n"
            f"00000000a5b4ee3c 16  2389       00000000 0        0        0     2        7        {inode}   \n"
        )
        return counted(connection)

    counted = taskstats._dropped
    monkeypatch.setattr(taskstats, "_dropped", dropping)
    with listening() as heard:
        pass
    assert heard.lost == 7


@pytest.mark.parametrize("refusal", [PermissionError(), FileNotFoundError(), OSError(errno.EINVAL, "")])
def test_nothing_is_heard_where_the_kernel_refuses(refusal: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def registered() -> contextlib.AbstractContextManager[socket.socket]:
        raise refusal

    monkeypatch.setattr(taskstats, "_registered", registered)
    with listening() as heard:
        pass
    assert (heard.processes, heard.lost) == ([], 0)
