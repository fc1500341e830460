from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.cli.console import Line, text_of
from crossbuild.cli.picture import ASCII, View, amount, last_picture, picture
from crossbuild.cli.tracker import Tracker
from crossbuild.model.events import BuildStarted, Log, Phase, PhaseStarted

from .builds import BASE, PACKAGES, PACKING, STARTED, finished, progress

VIEW = View(columns=80, lines=24, symbols=ASCII)


def plain(lines: list[Line]) -> list[str]:
    return [text_of(line).plain for line in lines]


def in_packages() -> Tracker:
    tracker = Tracker(STARTED, 0)
    tracker.accept(finished(BASE, 31), 31)
    tracker.accept(PhaseStarted(phase=PACKAGES), 31)
    tracker.accept(progress(PACKAGES, 155, 310), 73)
    tracker.accept(Log(phase="packages", line="\x1b[1mSetting up\tlibc6"), 73)
    return tracker


def test_picture_shows_what_is_done_what_runs_and_what_comes() -> None:
    assert plain(picture(in_packages(), 73, VIEW)) == [
        "  * Base system  31 s",
        "  - Packages     0:42  ############------------   50 %  155 of 310 packages",
        "      Setting up      libc6",
        "  . Artifacts",
        "  1:13 elapsed, about 1 min left",
    ]


def test_spinner_moves_with_the_clock() -> None:
    tracker = in_packages()
    signs = {plain(picture(tracker, 73.1 + tick / 5, VIEW))[1][2] for tick in range(4)}
    assert signs == set(ASCII.spinner)


@pytest.mark.parametrize("columns", [80, 70, 60, 50])
def test_bar_gives_way_to_figures(columns: int) -> None:
    row = plain(picture(in_packages(), 73, replace(VIEW, columns=columns)))[1]
    assert "155 of 310 packages" in row
    assert len(row) < max(columns, 53)


def test_picture_of_many_phases_fits_a_low_window() -> None:
    phases = tuple(Phase(key=f"p{n}", title=f"Phase {n}", estimate=1) for n in range(20))
    tracker = Tracker(BuildStarted(name="n", phases=phases, log=Path("/log")), 0)
    for phase in phases[:8]:
        tracker.accept(finished(phase, 1), 8)
    tracker.accept(PhaseStarted(phase=phases[8]), 8)
    assert plain(picture(tracker, 8, replace(VIEW, lines=10)))[:-1] == [
        "  * 8 phases done",
        "  | Phase 8   0:00",
        "      ",
        "  . 11 phases to come",
    ]
    assert len(picture(tracker, 8, replace(VIEW, lines=20))) < 20


def test_phase_from_an_earlier_result_says_so() -> None:
    tracker = Tracker(STARTED, 0)
    tracker.accept(finished(BASE, 1, cached=True), 1)
    assert plain(picture(tracker, 1, VIEW))[0] == "  * Base system  kept from earlier"


def test_last_picture_of_a_failure_names_the_phase_that_stopped() -> None:
    assert plain(last_picture(in_packages(), 73, VIEW, failed=True)) == [
        "  * Base system  31 s",
        "  ! Packages     stopped after 42 s",
    ]


def test_last_picture_of_a_success_has_every_phase() -> None:
    tracker = in_packages()
    tracker.accept(finished(PACKAGES, 90), 121)
    tracker.accept(finished(PACKING, 10), 131)
    assert len(last_picture(tracker, 131, VIEW, failed=False)) == 3


@pytest.mark.parametrize(
    ("done", "total", "unit", "text"),
    [
        (12, 310, "packages", "12 of 310 packages"),
        (12, 0, "packages", "12 packages"),
        (1_200_000, 3_400_000_000, "bytes", "1.2 MB of 3.4 GB"),
        (1_200_000, 0, "bytes", "1.2 MB"),
    ],
)
def test_amount_is_told_in_its_unit(done: int, total: int, unit: str, text: str) -> None:
    assert amount(progress(BASE, done, total, unit=unit)) == text
