from __future__ import annotations

import pytest

from crossbuild.errors import NodeUnreachableError
from crossbuild.jobs import patience
from crossbuild.jobs.patience import Patience

AWAY = NodeUnreachableError("The node arm1 cannot be reached.")


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 7.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def test_pauses_grow_and_the_last_attempt_is_at_the_end(clock: Clock) -> None:
    told: list[str] = []
    waiting = Patience(100, told.append)
    for _ in range(8):
        waiting.spend(AWAY, "The job a-1 goes on there")
    with pytest.raises(NodeUnreachableError):
        waiting.spend(AWAY, "The job a-1 goes on there")
    assert clock.slept == [1, 2, 4, 8, 16, 30, 30, 9]
    assert set(told) == {"The node arm1 cannot be reached. The job a-1 goes on there; trying again."}


def test_a_sign_of_life_makes_it_whole(clock: Clock) -> None:
    waiting = Patience(10, lambda _message: None)
    for _ in range(2):
        waiting.spend(AWAY, "")
        waiting.spend(AWAY, "")
        waiting.renew()
    waiting.spend(AWAY, "")
    assert clock.slept == [1, 2, 1, 2, 1]
