from __future__ import annotations

import pytest

from crossbuild.errors import CommandFailedError
from crossbuild.host.command import capture


def test_a_program_that_does_not_end_in_time_is_killed_and_says_so() -> None:
    with pytest.raises(CommandFailedError) as caught:
        capture(["sleep", "600"], check=False, timeout=0.05)
    assert caught.value.status == -9
    assert "did not end within 0.05 seconds" in caught.value.details
