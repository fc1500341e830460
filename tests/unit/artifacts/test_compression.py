"""gzip with several threads."""

from __future__ import annotations

import gzip
import itertools
import random
from collections.abc import Iterator

import pytest

from crossbuild.artifacts.compression import CHUNK, gzipped

DATA = random.Random(7).randbytes(CHUNK + 4321) + bytes(2 * CHUNK)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, len(DATA)])
def test_what_went_in_comes_out(size: int) -> None:
    assert gzip.decompress(b"".join(gzipped([DATA[:size]]))) == DATA[:size]


def test_bytes_depend_neither_on_threads_nor_on_how_the_input_was_cut() -> None:
    pieces = [DATA[start : start + 999] for start in range(0, len(DATA), 999)]
    assert b"".join(gzipped([DATA], workers=1)) == b"".join(gzipped(pieces, workers=7))


def test_header_has_neither_name_nor_time() -> None:
    header = b"".join(gzipped([b"x"]))[:9]
    # RFC 1952, section 2.3: ID1, ID2, CM = deflate, FLG without FNAME, MTIME = 0.
    assert header[:8] == b"\x1f\x8b\x08\0\0\0\0\0"


def test_no_more_than_a_few_chunks_are_read_ahead() -> None:
    read = itertools.count()

    def source() -> Iterator[bytes]:
        for _ in range(1000):
            next(read)
            yield bytes(CHUNK)

    next(gzipped(source(), workers=2))
    assert next(read) <= 6
