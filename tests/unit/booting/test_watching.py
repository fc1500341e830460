"""What a console says, understood."""

from __future__ import annotations

import pytest

from crossbuild.booting.watching import Watch
from crossbuild.model.boot import Stage, StageReached


def watched(*lines: str) -> Watch:
    watch = Watch()
    for second, line in enumerate(lines):
        watch.see(float(second), line)
    return watch


def test_stages_come_from_the_kernel_and_from_what_was_handed_in() -> None:
    watch = watched(
        "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd083]",
        "[    3.1] Run /init as init process",
        "[    8.1] crossbuild: stage unpack",
        "[    8.2] crossbuild: stage switch",
        "[   30.2] crossbuild: stage target",
        "[   30.9] crossbuild: end",
    )
    assert [(one.stage.value, one.seconds) for one in watch.observed.stages] == [
        ("kernel", 0.0),
        ("initramfs", 1.0),
        ("unpack", 2.0),
        ("switch", 3.0),
        ("target", 4.0),
    ]
    assert watch.observed.ended
    assert watch.observed.failure == ""


def test_a_stage_counts_once_and_is_told_once() -> None:
    told: list[StageReached] = []
    watch = Watch(told.append)
    watch.reached(Stage.FETCH, 1.234)
    watch.reached(Stage.FETCH, 9.0)
    assert watch.observed.stages == told == [StageReached(stage=Stage.FETCH, seconds=1.23)]


def test_facts_are_heard_although_others_write_on_the_same_line() -> None:
    watch = watched("[  OK  ] Started somethi[ 30.2] crossbuild: fact machine aarch64", "ng.")
    assert watch.observed.facts == [("machine", "aarch64")]


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        pytest.param(
            "[ 1] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on block(0,0) ]---",
            "The kernel panicked: VFS: Unable to mount root fs on block(0,0).",
            id="panic",
        ),
        pytest.param(
            "[ 5.0] Out of memory: Killed process 99 (tar) total-vm:1kB",
            "The machine's memory does not suffice: Out of memory: Killed process 99 (tar). "
            "Give it more with `--memory`.",
            id="a process killed for memory",
        ),
        pytest.param(
            "[ 3.0] Initramfs unpacking failed: write error",
            "The machine's memory does not suffice: Initramfs unpacking failed: write error. "
            "Give it more with `--memory`.",
            id="an initramfs that memory does not hold",
        ),
        pytest.param(
            "[ 3.0] Initramfs unpacking failed: invalid magic at start of compressed archive",
            "The kernel cannot unpack the initramfs: invalid magic at start of compressed archive.",
            id="a damaged initramfs",
        ),
        pytest.param(
            "[ 9.9] reboot: Restarting system",
            "The machine restarted itself before it was up.",
            id="restart",
        ),
        pytest.param(
            "[ 9.9] reboot: Power down", "The machine switched itself off before it was up.", id="power off"
        ),
        pytest.param(
            "You are in emergency mode. After logging in, type ...",
            "The machine ended in emergency mode: something that it cannot do without is not there.",
            id="emergency",
        ),
        pytest.param(
            "[ 99.1] dracut: FATAL: Don't know how to handle 'root=live:'",
            "The initramfs gave up: Don't know how to handle 'root=live:'.",
            id="dracut",
        ),
        pytest.param(
            "[ 8.6] crossbuild: failed no network: no driver",
            "No network: no driver.",
            id="the initramfs gave up",
        ),
    ],
)
def test_an_end_is_a_failure_in_words(line: str, failure: str) -> None:
    assert watched("something before", line, "and after").observed.failure == failure


def test_an_init_that_cannot_start_is_named_with_its_library() -> None:
    complaint = "/sbin/init: error while loading shared libraries: libseccomp.so.2: cannot open shared object"
    watch = watched(
        complaint,
        "[ 5.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00007f00",
    )
    assert watch.observed.failure == f"The image's init does not start: {complaint}."


def test_the_lines_that_matter_are_those_of_trouble_and_the_last() -> None:
    noise = [f"[ 1.{number}] all is well with {number}" for number in range(50)]
    watch = watched(
        *noise, "[FAILED] Failed to start broken.service", *noise[::-1], "one", "two", "three", "four"
    )
    assert watch.lines() == ("[FAILED] Failed to start broken.service", "one", "two", "three", "four")
