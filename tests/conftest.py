"""What all tests share."""

from __future__ import annotations

import pytest

from crossbuild.host.workspace import scatter


@pytest.fixture(scope="session", autouse=True)
def _folders_of_tests_lie_far_from_each_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests delete so much that making files near it would take most of their time."""
    scatter(tmp_path_factory.getbasetemp())
