from __future__ import annotations

import re

import pytest

from crossbuild.engines.names import base_image, container_name, repository, snapshot_image

REFERENCE = re.compile(r"localhost(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
"""distribution/reference, "reference"."""
NAMES = ["default", "rocky-9.2", "Rocky", "rocky", "a..b", "a.b", "x-", "x", "A_", "9" * 64, "Z" * 64]


@pytest.mark.parametrize("name", NAMES)
def test_no_engine_refuses_the_names_of_a_builder(name: str) -> None:
    assert REFERENCE.fullmatch(base_image(name))
    assert REFERENCE.fullmatch(snapshot_image(name, "S" * 64))
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", container_name(name))


def test_two_builders_never_share_a_name() -> None:
    assert len({container_name(name) for name in NAMES}) == len(NAMES)
    assert len({repository(name) for name in NAMES}) == len(NAMES)
