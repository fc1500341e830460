"""What has become of a changed value."""

from __future__ import annotations

import pytest

from crossbuild.model.receipt import ChangedValue
from crossbuild.registrars.standing import Standing, standing

CHANGE = ChangedValue(kind="node", name="n1", key="ARCH", before="", after="aarch64")


@pytest.mark.parametrize(
    ("current", "expected"),
    [("aarch64", Standing.CHANGED), ("", Standing.BEFORE), ("x86_64", Standing.FOREIGN)],
)
def test_value_stands_as_it_is_found(current: str, expected: Standing) -> None:
    assert standing(CHANGE, current) is expected
