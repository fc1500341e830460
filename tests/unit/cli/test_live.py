from __future__ import annotations

import threading
from pathlib import Path

import pytest

from crossbuild.cli.live import LiveProgress
from crossbuild.errors import BuildFailedError
from crossbuild.model.events import BuildFinished, Event, Notice, PhaseStarted

from .builds import BASE, PACKAGES, PACKING, STARTED, finished, progress
from .terminal import FakeTerminal

DONE = BuildFinished(name="compute", directory=Path("/out"), seconds=9, unchanged=False)
WHOLE: tuple[Event, ...] = (
    STARTED,
    *(
        event
        for phase in (BASE, PACKAGES, PACKING)
        for event in (PhaseStarted(phase=phase), finished(phase, 3))
    ),
    DONE,
)


def stopped_clock() -> float:
    return 0.0


def shown(terminal: FakeTerminal) -> list[str]:
    return [row.rstrip() for row in terminal.rows if row.strip()]


def painters() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_a_finished_build_leaves_its_phases_on_the_screen(terminal: FakeTerminal) -> None:
    with LiveProgress(terminal, stopped_clock) as live:
        for event in WHOLE:
            live(event)
    assert shown(terminal) == [
        "compute  log: /log",
        "  ✓ Base system  3.0 s",
        "  ✓ Packages     3.0 s",
        "  ✓ Artifacts    3.0 s",
    ]


def test_the_present_state_is_painted_at_each_tick(terminal: FakeTerminal) -> None:
    with LiveProgress(terminal, stopped_clock) as live:
        live(STARTED)
        live(PhaseStarted(phase=BASE))
        live(progress(BASE, 50, 100, detail="bash"))
        live.tick()
        assert any("50 %  50 of 100 packages" in row for row in shown(terminal))
        assert "      bash" in shown(terminal)


def test_a_failed_build_names_the_phase_and_lets_the_error_pass(terminal: FakeTerminal) -> None:
    def build() -> None:
        with LiveProgress(terminal, stopped_clock) as live:
            for event in WHOLE[:4]:
                live(event)
            raise BuildFailedError("no")

    with pytest.raises(BuildFailedError):
        build()
    assert shown(terminal)[-1] == "  ✗ Packages     stopped after 0.0 s"
    assert terminal.cursor_shown
    assert painters() == []


def test_notices_stay_above_also_before_the_build(terminal: FakeTerminal) -> None:
    with LiveProgress(terminal, stopped_clock) as live:
        live(Notice(message="waiting for another build"))
        live(STARTED)
        live.tick()
        live(Notice(message="no room for the cache"))
        live.tick()
    assert [row for row in shown(terminal) if row.startswith("Note")] == [
        "Note: waiting for another build",
        "Note: no room for the cache",
    ]


def test_two_builds_follow_one_another(terminal: FakeTerminal) -> None:
    with LiveProgress(terminal, stopped_clock) as live:
        for event in (*WHOLE, *WHOLE):
            live(event)
            live.tick()
    assert shown(terminal) == 2 * shown(terminal)[:4]


def test_a_terminal_that_is_gone_ends_the_painting_only(
    terminal: FakeTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossbuild.cli.live.PERIOD", 0.001)
    gone = threading.Event()

    class Gone(FakeTerminal):
        def write(self, text: str) -> int:
            if threading.current_thread().name == "progress":
                gone.set()
                raise OSError(5, "Input/output error")
            return super().write(text)

    with LiveProgress(Gone(), stopped_clock) as live:
        live(STARTED)
        assert gone.wait(30)
        live(PhaseStarted(phase=BASE))
