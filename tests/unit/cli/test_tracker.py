from __future__ import annotations

from pathlib import Path

import pytest

from crossbuild.cli.tracker import Tracker
from crossbuild.model.events import BuildStarted, Event, Log, Phase, PhaseStarted

from .builds import BASE, PACKAGES, PACKING, STARTED, finished, progress


def tracked(*events: tuple[float, Event]) -> Tracker:
    tracker = Tracker(STARTED, 0)
    for now, event in events:
        tracker.accept(event, now)
    return tracker


def test_estimates_are_taken_as_they_are_before_anything_is_known() -> None:
    assert tracked((0, PhaseStarted(phase=BASE))).remaining(0) == pytest.approx(350)


def test_time_that_passed_on_schedule_is_no_longer_ahead() -> None:
    assert tracked((0, PhaseStarted(phase=BASE))).remaining(40) == pytest.approx(310)


def test_a_phase_that_took_twice_as_long_makes_the_rest_longer() -> None:
    tracker = tracked((200, finished(BASE, 200)))
    remaining = tracker.remaining(200)
    assert remaining is not None
    assert 250 * 1.5 < remaining < 250 * 2


def test_a_phase_that_was_kept_from_earlier_says_nothing_about_the_pace() -> None:
    assert tracked((1, finished(BASE, 1, cached=True))).remaining(1) == pytest.approx(250)


def test_progress_of_the_current_phase_outweighs_its_estimate() -> None:
    slow = tracked((0, PhaseStarted(phase=BASE)), (100, progress(BASE, 10, 100)))
    remaining = slow.remaining(100)
    assert remaining is not None
    assert remaining > 700  # estimated: 350 in all; at this pace 1000 for the first phase alone


def test_the_end_of_a_phase_is_near_when_nearly_all_of_it_is_done() -> None:
    tracker = tracked(
        (0, finished(BASE, 100)),
        (0, finished(PACKAGES, 200)),
        (0, PhaseStarted(phase=PACKING)),
        (49, progress(PACKING, 98, 100)),
    )
    assert tracker.remaining(49) == pytest.approx(1.0)


def test_nothing_fair_can_be_said_of_a_last_phase_that_is_late() -> None:
    tracker = tracked(
        (0, finished(BASE, 100)), (0, finished(PACKAGES, 200)), (0, PhaseStarted(phase=PACKING))
    )
    assert tracker.remaining(5000) is None


def test_a_late_phase_that_says_nothing_slows_what_is_ahead() -> None:
    tracker = tracked((0, PhaseStarted(phase=BASE)))
    on_time, late = tracker.remaining(100), tracker.remaining(400)
    assert on_time is not None
    assert late is not None
    assert late > on_time


def test_builds_without_estimates_have_no_remaining_time() -> None:
    phase = Phase(key="a", title="A", estimate=0)
    tracker = Tracker(BuildStarted(name="n", phases=(phase,), log=Path("/log")), 0)
    tracker.accept(PhaseStarted(phase=phase), 0)
    assert tracker.remaining(10) is None
    tracker.accept(progress(phase, 1, 4), 10)
    assert tracker.remaining(10) == pytest.approx(30)


@pytest.mark.parametrize(("done", "total", "share"), [(1, 4, 0.25), (9, 4, 1.0), (3, 0, None)])
def test_share_is_between_nothing_and_all(done: int, total: int, share: float | None) -> None:
    tracker = tracked((0, PhaseStarted(phase=BASE)), (0, progress(BASE, done, total)))
    assert tracker.running is not None
    assert tracker.running.share == share


def test_the_newer_of_detail_and_output_is_what_a_phase_says() -> None:
    tracker = tracked(
        (0, PhaseStarted(phase=BASE)),
        (0, Log(phase="base", line="Setting up libc6")),
        (0, progress(BASE, 1, 2, detail="bash")),
        (0, progress(BASE, 2, 2)),
    )
    assert tracker.running is not None
    assert tracker.running.line == "bash"
