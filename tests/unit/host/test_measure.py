from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossbuild.host import measure
from crossbuild.host.checks.emulation import ODD_ARGV
from crossbuild.host.measure import answer_faults, argument_faults, measure_emulators
from crossbuild.host.probe import Outcome
from crossbuild.host.qemu import Emulator
from crossbuild.host.trials import QUESTIONS
from tests.unit.host.hosts import BARE

HOST = replace(BARE, kernel="6.1.0")
RIGHT = Outcome(argc=2, argv0=ODD_ARGV[0], uid=0, euid=0, machine="aarch64")
ANSWERS = "".join(f"{question.name}={question.answer}\n" for question in QUESTIONS)
SUM = "product and sum rounded once"

# Answers as qemu would, called as `qemu -0 ARGV0 PROGRAM ARGUMENT…`.
PLAYED = """#!/bin/sh
case $1,$3 in
-0,*/crossbuild-probe)
    printf '%s\\n' argc=$(($# - 2)) "argv0=$2" uid=0 euid=0 machine=aarch64
    exit 42;;
-0,*/asking) cat "$0.answers"; kill -TERM $$;;
-0,*/starting|-0,*/computing) exit 0;;
esac
exit 1
"""


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        pytest.param(RIGHT, "", id="right"),
        pytest.param(replace(RIGHT, argc=3), "2 arguments arrive as 3", id="shifted"),
        pytest.param(replace(RIGHT, argv0="/tmp/x"), "argv[0] arrives as '/tmp/x'", id="another argv[0]"),
        pytest.param(Outcome(reason="It was told so."), "It was told so", id="did not run"),
    ],
)
def test_what_is_wrong_with_arguments_is_said(outcome: Outcome, words: str) -> None:
    faults = list(argument_faults(outcome))
    assert bool(faults) == bool(words)
    assert words in "".join(faults)


@pytest.mark.parametrize(
    ("stdout", "status", "words"),
    [
        pytest.param(ANSWERS, -15, (), id="right"),
        pytest.param(ANSWERS, 143, (), id="a signal told as a shell does"),
        pytest.param(ANSWERS, 0, ("SIGTERM ends leaves status 0",), id="survives a signal"),
        pytest.param(
            ANSWERS.replace(f"{SUM}=4138808057553485824", f"{SUM}=0"),
            -15,
            (f"{SUM} gives 0 instead of 4138808057553485824",),
            id="wrong result",
        ),
        pytest.param(
            ANSWERS.split(SUM, maxsplit=1)[0], -4, (f"with status -4: {SUM}",), id="an instruction it lacks"
        ),
        pytest.param("", 1, ("too early, with status 1: division",), id="nothing"),
    ],
)
def test_a_wrong_answer_is_named_with_the_right_one(stdout: str, status: int, words: tuple[str, ...]) -> None:
    faults = list(answer_faults(stdout, status))
    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


def play(path: Path, script: str = PLAYED, answers: str = ANSWERS) -> Emulator:
    """Write a program that plays qemu."""
    path.write_text(script)
    path.chmod(0o755)
    path.with_name(f"{path.name}.answers").write_text(answers)
    return Emulator(path=str(path), version="9.1", static=True)


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "STARTS", 2)
    monkeypatch.setattr(measure, "COMPUTATIONS", 2)


def test_one_that_does_all_right_is_timed(tmp_path: Path) -> None:
    (measured,) = measure_emulators([play(tmp_path / "qemu")], HOST)
    assert (measured.faults, measured.keeps_argv0, measured.in_use) == ((), True, False)
    assert measured.times is not None


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(PLAYED.replace("$# - 2", "$# - 1"), "2 arguments arrive as 3", id="arguments"),
        pytest.param(PLAYED.replace("exit 42", "exit 0"), "status 0 instead of 42", id="exit status"),
        pytest.param(PLAYED.replace("=aarch64", "=x86_64"), "machine is x86_64", id="uname"),
        pytest.param(PLAYED.replace("kill -TERM $$", "exit 0"), "SIGTERM", id="signal"),
        pytest.param(PLAYED.replace("exit 0;;", "exit 9;;"), "starting ends with status 9", id="work"),
        pytest.param("", "Exec format error", id="no program"),
    ],
)
def test_one_that_does_something_wrong_is_not_timed(tmp_path: Path, script: str, words: str) -> None:
    good, bad = measure_emulators([play(tmp_path / "good"), play(tmp_path / "bad", script)], HOST)
    assert good.times is not None
    assert bad.times is None
    assert words in " ".join(bad.faults)


def test_one_that_hangs_is_stopped_and_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "LIMIT", 0.05)
    (measured,) = measure_emulators([play(tmp_path / "qemu", "#!/bin/sh\nexec sleep 600\n")], HOST)
    assert measured.times is None
    assert "did not end within 0.05 seconds" in measured.faults[0]


def test_one_file_is_measured_once_and_what_cannot_serve_not_at_all(tmp_path: Path) -> None:
    first = play(tmp_path / "qemu")
    (tmp_path / "aarch64-binfmt-P").symlink_to("qemu")
    second = replace(first, path=str(tmp_path / "aarch64-binfmt-P"))
    dynamic = replace(first, path=str(tmp_path / "other"), static=False)
    assert [entry.path for entry in measure_emulators([first, second, dynamic], HOST)] == [first.path]


def test_variables_of_the_caller_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QEMU_CPU", "cortex-a53")
    script = PLAYED.replace("case", 'test -z "$QEMU_CPU" || exit 1\ncase')
    (measured,) = measure_emulators([play(tmp_path / "qemu", script)], HOST)
    assert measured.faults == ()


def test_a_host_that_needs_no_emulator_has_nothing_to_measure(tmp_path: Path) -> None:
    assert measure_emulators([play(tmp_path / "qemu")], replace(HOST, machine="aarch64")) == ()
