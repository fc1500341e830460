"""Phases and stages as bars."""

from __future__ import annotations

import pytest

from crossbuild.report.bars import PHASES, Look, phases_chart, stages_chart, ticks
from crossbuild.report.fields import Fields, objects
from tests.unit.report.sets import TIMELINE


def test_phases_lie_where_they_ran() -> None:
    chart = phases_chart(Fields(TIMELINE))
    assert chart is not None
    assert [(bar.start, bar.width) for bar in chart.bars] == [(0, 20), (30, 5), (40, 60)]
    assert [bar.look for bar in chart.bars] == [Look.DONE, Look.CACHED, Look.DONE]
    assert [bar.label for bar in chart.bars] == ["Package sources", "Base system", "Artifacts"]


def test_a_phase_of_a_newer_version_has_its_own_name() -> None:
    chart = phases_chart(Fields({"phases": [{"phase": "blessing", "started": 1, "seconds": 0}]}))
    assert chart is not None
    assert "blessing" not in PHASES
    assert (chart.bars[0].label, chart.bars[0].width) == ("blessing", 0)


def test_nothing_recorded_is_no_chart() -> None:
    assert phases_chart(Fields(None)) is None


STAGES = objects([{"stage": "kernel", "seconds": 2}, {"stage": "target", "seconds": 8}])


def test_a_stage_lasts_from_the_one_before_it() -> None:
    chart = stages_chart(STAGES, 10, failed=False)
    places = [(bar.label, bar.start, bar.width) for bar in chart.bars]
    assert places == [("Kernel begins", 0, 20), ("Default target", 20, 60), ("Verdict", 80, 20)]
    assert {bar.look for bar in chart.bars} == {Look.DONE}


def test_a_boot_that_failed_ends_in_another_colour() -> None:
    assert [bar.look for bar in stages_chart(STAGES, 10, failed=True).bars] == [
        Look.DONE,
        Look.DONE,
        Look.FAILED,
    ]


@pytest.mark.parametrize("total", [0.01, 0.4, 3, 34.2, 61, 600, 7300, 500_000, 5_000_000])
def test_marks_are_few_and_within_the_scale(total: float) -> None:
    marks = ticks(total)
    assert 1 <= len(marks) <= 7
    assert all(0 <= mark.place <= 100.001 for mark in marks)


def test_marks_are_told_in_the_unit_that_fits() -> None:
    assert [mark.text for mark in ticks(74)] == ["0 s", "15 s", "30 s", "45 s", "1 min"]
    assert ticks(7200)[-1].text == "2 h"
    assert ticks(0) == ()
