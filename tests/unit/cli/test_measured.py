from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.cli.measured import show_measured
from crossbuild.host.advice import advise
from crossbuild.host.measure import Measurement, Times

FILE = Path("/etc/crossbuild/config.yaml")
OLD = Measurement(
    path="/usr/bin/qemu-aarch64-static",
    version="7.2.22",
    in_use=True,
    keeps_argv0=True,
    times=Times(start=0.0221, computing=0.13),
)
NEW = replace(OLD, path="/opt/qemu", version="10.0", in_use=False, times=Times(start=0.015, computing=0.2))
WRONG = replace(NEW, path="/opt/wrong", version="9.0", faults=("2 arguments arrive as 3.",), times=None)
HANDLER = replace(OLD, handler="crossbuild-aarch64", path="/var/lib/joined")


def shown(capsys: pytest.CaptureFixture[str], *measured: Measurement, configured: str = "") -> str:
    show_measured(measured, advise(measured), configured=configured, configuration=FILE)
    return capsys.readouterr().out


def test_every_one_has_a_row_with_its_times(capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = shown(capsys, OLD, NEW, WRONG, HANDLER).splitlines()[:5]
    assert head.split() == ["qemu", "Version", "Start", "Computing", "In", "use"]
    assert [row.split() for row in rows] == [
        ["ok", OLD.path, "7.2.22", "22.1", "ms", "130.0", "ms", "yes"],
        ["ok", "/opt/qemu", "10.0", "15.0", "ms", "200.0", "ms", "no"],
        ["wrong", "/opt/wrong", "9.0", "no"],
        ["ok", "handler", "crossbuild-aarch64", "7.2.22", "22.1", "ms", "130.0", "ms", "yes"],
    ]


def test_the_better_one_is_recommended_with_the_words_for_the_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, OLD, NEW)
    assert "Recommended: qemu 10.0 at /opt/qemu. It starts programs fastest" in text
    assert f"write `qemu: /opt/qemu` into {FILE}, then run `sudo crossbuild setup`" in text


@pytest.mark.parametrize(
    ("configured", "done"),
    [
        pytest.param("", True, id="nothing is configured"),
        pytest.param(OLD.path, True, id="it is configured"),
        pytest.param("/opt/qemu", False, id="another one is configured"),
    ],
)
def test_the_one_in_use_needs_no_change_unless_another_is_configured(
    capsys: pytest.CaptureFixture[str], configured: str, done: bool
) -> None:
    text = shown(capsys, OLD, configured=configured)
    assert ("It is in use." in text) is done
    assert ("To use it" in text) is not done


def test_what_is_wrong_is_said_and_what_may_be_lost(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, WRONG, replace(NEW, keeps_argv0=False))
    assert "wrong  /opt/wrong: 2 arguments arrive as 3." in text
    assert "warning  /opt/qemu: As a handler it may lose argv[0]." in text


@pytest.mark.parametrize(
    ("measured", "words"), [((), "no qemu to measure"), ((WRONG,), "None of them is fit")]
)
def test_where_nothing_can_be_recommended_that_is_said(
    capsys: pytest.CaptureFixture[str], measured: tuple[Measurement, ...], words: str
) -> None:
    text = shown(capsys, *measured)
    assert words in text
    assert "Recommended" not in text
