"""The record of what was started."""

from __future__ import annotations

from io import BytesIO

from crossbuild.acceleration.starts import RECORD, Start, Way, read_starts, settled


def record(way: str, path: bytes, *, nanoseconds: int = 1, process: int = 2) -> bytes:
    return RECORD.pack(nanoseconds, process, ord(way), path)


def test_a_record_has_the_size_that_crossbuild_exec_writes() -> None:
    assert RECORD.size == 128


def test_records_are_read_in_order_and_others_are_passed_over() -> None:
    content = (
        record("n", b"/bin/s\xff") + b"garbage".ljust(RECORD.size, b"\xee") + record("q", b"/b" * 60) + b"cut"
    )
    assert list(read_starts(BytesIO(content))) == [
        Start(nanoseconds=1, process=2, way=Way.NATIVE, path="/bin/s\udcff"),
        Start(nanoseconds=1, process=2, way=Way.NO_RULE, path="/b" * 56),
    ]


def test_a_twin_that_was_refused_counts_once() -> None:
    content = (
        record("n", b"/bin/a", nanoseconds=0)
        + record("n", b"/bin/a", nanoseconds=1)
        + record("n", b"/bin/a", nanoseconds=2, process=3)
        + record("n", b"/bin/b", nanoseconds=3)
        + record("x", b"/bin/a", nanoseconds=4)
        + record("n", b"/bin/a", nanoseconds=5)
    )
    assert [(start.nanoseconds, start.way) for start in settled(read_starts(BytesIO(content)))] == [
        (0, Way.NATIVE),
        (2, Way.NATIVE),
        (3, Way.NATIVE),
        (4, Way.REFUSED),
        (5, Way.NATIVE),
    ]


def test_starts_come_in_the_order_of_time_whoever_wrote_first() -> None:
    content = record("n", b"/bin/a", nanoseconds=7) + record("q", b"/bin/b", nanoseconds=5)
    assert [start.path for start in settled(read_starts(BytesIO(content)))] == ["/bin/b", "/bin/a"]
