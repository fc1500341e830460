"""How a file is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.model.artifact import Digests
from crossbuild.registrars.ims.upload import MOST_PARTS, PART, Outgoing


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1, PART * MOST_PARTS, PART * MOST_PARTS + 1, 5 << 40])
def test_s3_takes_the_parts_of_any_file(size: int) -> None:
    digests = Digests(size=size, sha256="", md5="")
    file = Outgoing(source=Path("/f"), label="f", key="k", digests=digests, metadata=())
    assert file.part_size % PART == 0
    assert -(-size // file.part_size) <= MOST_PARTS
