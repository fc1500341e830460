"""A crash is told from an ordinary failure by what package managers and qemu print."""

from pathlib import Path
from typing import Any, cast

import pytest

from crossbuild.errors import CommandFailedError
from crossbuild.pipeline.crashes import STATUSES, is_crash, second_emulator


@pytest.mark.parametrize(
    "line",
    [
        "qemu: uncaught target signal 11 (Segmentation fault) - core dumped",
        "qemu: uncaught target signal 6 (Aborted) - core dumped",
        "QEMU internal SIGSEGV {code=MAPERR, addr=0x8}",
        "warning: %post(munge-0.5.15-1.el9.aarch64) scriptlet failed, signal 11",
        "error: %prein(munge-0.5.15-1.el9.aarch64) scriptlet failed, exit status 139",
        "munge-0.5.15-1.aarch64.rpm %posttrans script failed (returned 134)",
        "post-installation script subprocess was killed by signal (Segmentation fault), core dumped",
        "installed munge package post-installation script subprocess returned error exit status 132",
    ],
)
def test_a_crash_is_recognised(line: str) -> None:
    assert is_crash(line)


@pytest.mark.parametrize(
    "line",
    [
        "warning: %post(munge-0.5.15-1.el9.aarch64) scriptlet failed, exit status 1",
        "warning: %post(munge-0.5.15-1.el9.aarch64) scriptlet failed, signal 9",
        "qemu: uncaught target signal 15 (Terminated)",
        "munge-0.5.15-1.aarch64.rpm %posttrans script failed (returned 1)",
        "subprocess returned error exit status 127",
        "subprocess was killed by signal (Terminated)",
        "Installing: segfault-handler 139",
    ],
)
def test_what_failed_by_itself_is_no_crash(line: str) -> None:
    assert not is_crash(line)


@pytest.mark.parametrize("status", [1, 9, 127, -15, 137])
def test_an_ordinary_failure_gets_no_second_try(status: int) -> None:
    error = CommandFailedError("It failed.", status=status, details="no such file")
    nobody = cast("Any", None)
    assert second_emulator(error, nobody, Path("/nonexistent"), nobody) is None


def test_what_the_kernel_and_what_a_shell_says_of_a_crash_count_alike() -> None:
    assert {-11, 139, -6, 134, -4, 132, -7, 135} == STATUSES
