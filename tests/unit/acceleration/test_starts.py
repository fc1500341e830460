"""The record of what was started."""

from __future__ import annotations

from io import BytesIO

from crossbuild.acceleration.starts import RECORD, Start, Way, read_starts, tally


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
        record("n", b"/bin/a") + record("n", b"/bin/b") + record("x", b"/bin/a") + record("n", b"/bin/b")
    )
    assert tally(read_starts(BytesIO(content))) == {("/bin/a", Way.REFUSED): 1, ("/bin/b", Way.NATIVE): 2}
