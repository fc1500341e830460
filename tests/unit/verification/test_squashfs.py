from __future__ import annotations

import io
from pathlib import PurePosixPath

import pytest

from crossbuild.verification.squashfs import _listing

P = PurePosixPath
LISTING = b"""/ D 1795183327 755 0 0
a\\ b R 1795183327 644 0 0 3 44016
d/e/f R 1795183327 644 0 0 44016 0 0
caf\xe9 R 1795183327 4755 0 0 6 44019
two
lines R 1795183327 644 0 0 2 44025
lnk S 1795183327 777 0 0 a\\ b
hard L d/e/f
console C 1795183327 600 0 0 5 1
#
# START OF DATA - DO NOT MODIFY
#
content"""
"""As unsquashfs 4.5.1 writes it for `-pf`; later ones add a last column."""


def test_files_are_listed_in_the_order_of_their_content() -> None:
    stream = io.BytesIO(LISTING)
    assert _listing(stream) == [
        (P("/d/e/f"), 44016, 0),
        (P("/a b"), 3, 44016),
        (P("/caf\udce9"), 6, 44019),
        (P("/two\nlines"), 2, 44025),
    ]
    assert stream.read() == b"content"


def test_a_stream_without_content_is_damage() -> None:
    with pytest.raises(ValueError, match="no content"):
        _listing(io.BytesIO(b"/ D 1795183327 755 0 0\n"))
