"""Who did the work of a build."""

from __future__ import annotations

from crossbuild.acceleration.starts import Way
from crossbuild.report.fields import Fields
from crossbuild.report.programs import REASONS, SHOWN, seconds_text, work_of
from tests.unit.report.sets import TIMELINE


def test_shares_are_of_the_cpu_time() -> None:
    work = work_of(Fields(TIMELINE))
    assert work is not None
    assert (work.native.width, work.native.time, work.native.starts) == (75, "3.0 s", 100)
    assert (work.emulated.width, work.emulated.time, work.emulated.starts) == (25, "1.0 s", 5)
    assert (work.shown[0].path, work.shown[0].width) == ("/usr/bin/dpkg", 100)


def test_where_no_time_was_measured_shares_are_of_the_starts() -> None:
    programs = [
        {"program": "/a", "native": True, "way": "native", "starts": 3, "cpu_seconds": None},
        {"program": "/b", "native": False, "way": "no_rule", "starts": 1, "cpu_seconds": None},
    ]
    work = work_of(Fields({"programs": programs}))
    assert work is not None
    assert (work.native.width, work.native.time) == (75, "not measured")
    assert [one.time for one in work.shown] == ["-", "-"]


def test_the_costliest_are_shown_and_all_are_listed() -> None:
    programs = [{"program": f"/{number}", "starts": 1, "cpu_seconds": number} for number in range(40)]
    work = work_of(Fields({"programs": programs}))
    assert work is not None
    assert (work.shown[0].path, len(work.shown), len(work.others)) == ("/39", SHOWN, 40 - SHOWN)


def test_nothing_counted_is_no_work() -> None:
    assert work_of(Fields(None)) is None


def test_every_way_is_put_into_words() -> None:
    assert set(REASONS) == {way.name.lower() for way in Way}


def test_short_times_are_told_in_hundredths() -> None:
    assert [seconds_text(seconds) for seconds in (0.004, 0.53, 1.0, 61)] == [
        "0.00 s",
        "0.53 s",
        "1.0 s",
        "1 min 01 s",
    ]
