from __future__ import annotations

import errno
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from crossbuild.cli.errors import guarded
from crossbuild.cli.options import Session
from crossbuild.errors import (
    BuildFailedError,
    HostNotReadyError,
    ProvisionerError,
    SpecError,
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("crossbuild.cli.crash._state_folder", lambda: tmp_path / "crashes")
    return tmp_path / "crashes"


@pytest.fixture(autouse=True)
def _signals_are_not_ignored() -> Iterator[None]:
    """Whoever runs the tests may have told this process to ignore them, as nohup does."""
    kept = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


def killing(number: int) -> Callable[[], int]:
    def work() -> int:
        os.kill(os.getpid(), number)
        return 0

    return work


def run(work: Callable[[], int], *argv: str, as_json: bool = False) -> int:
    return guarded(work, session=Session(as_json=as_json), argv=argv)


def eof_as_click_tells_it() -> int:
    try:
        return raising(EOFError("Compressed file ended before the end-of-stream marker was reached"))()
    except EOFError as error:
        raise click.Abort from error


@pytest.mark.parametrize(
    ("work", "status", "said"),
    [
        pytest.param(lambda: 0, 0, "", id="done"),
        pytest.param(lambda: 7, 7, "", id="a status of its own"),
        pytest.param(raising(BuildFailedError("No.")), 1, "Error: No.\n", id="the work failed"),
        pytest.param(raising(SpecError("No.")), 2, "Error: No.\n", id="the spec is wrong"),
        pytest.param(raising(HostNotReadyError("No.")), 3, "Error: No.\n", id="the host is not ready"),
        pytest.param(raising(ProvisionerError("No.")), 4, "Error: No.\n", id="a provisioner refused"),
        pytest.param(raising(click.UsageError("No.")), 2, "Error: No.\n", id="the command line is wrong"),
        pytest.param(raising(KeyboardInterrupt()), 130, "Interrupted.\n", id="interrupted"),
        pytest.param(raising(click.Abort()), 130, "Interrupted.\n", id="interrupted below click"),
        pytest.param(killing(signal.SIGTERM), 143, "Ended by SIGTERM.\n", id="ended"),
        pytest.param(killing(signal.SIGHUP), 129, "Ended by SIGHUP.\n", id="the terminal is closed"),
    ],
)
def test_every_end_has_its_status_and_its_words(
    work: Callable[[], int], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(work) == status
    assert capsys.readouterr() == ("", said)


def test_error_is_an_object_on_stdout_too_where_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    error = HostNotReadyError("No.", details="d", resolution="Run `crossbuild setup`.")
    assert run(raising(error), as_json=True) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": {"brief": "No.", "details": "d", "resolution": "Run `crossbuild setup`.", "exit_code": 3}
    }
    assert err.startswith("Error: No.")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("build", "--json", "--frob"), True),
        (("build", "--frob"), False),
        (("root", "run", "--", "--json"), False),
    ],
)
def test_wrong_command_line_is_an_object_if_it_asked_for_json(
    argv: tuple[str, ...], expected: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(click.UsageError("No such option: --frob")), *argv) == 2
    out = capsys.readouterr().out
    assert bool(out) is expected
    if expected:
        assert json.loads(out)["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    "work", [raising(KeyError("x")), eof_as_click_tells_it], ids=["any", "end of a file"]
)
def test_unexpected_error_leaves_a_file_that_the_message_names(
    work: Callable[[], int], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(work, "build", "x.yaml") == 1
    (log,) = state.iterdir()
    err = capsys.readouterr().err
    assert str(log) in err
    assert "Traceback" not in err
    assert "Traceback" in log.read_text()


def test_full_disk_is_no_surprise(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/var/lib/crossbuild/work")
    assert run(raising(error)) == 1
    assert "No space left on device: /var/lib/crossbuild/work" in capsys.readouterr().err
    assert not state.exists()


def test_reader_that_left_is_no_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)

        def work() -> int:
            stdout.write("result\n")
            return 0

        assert run(work) == 1
        stdout.write("what Python flushes at its end\n")
    assert capfd.readouterr().err == ""


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_error_that_cannot_be_shown_keeps_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    monkeypatch.setattr("sys.stdout", Full())
    assert run(raising(HostNotReadyError("No.")), as_json=True) == 3


def test_signal_unwinds_what_was_acquired() -> None:
    unwound = []

    def work() -> int:
        try:
            return killing(signal.SIGTERM)()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # a second one does not stop the cleaning up
            unwound.append("mounts")

    before = signal.getsignal(signal.SIGTERM)
    assert run(work) == 143
    assert unwound == ["mounts"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_ignored_hangup_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run(killing(signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_boundary_lets_a_passed_through_status_pass() -> None:
    with pytest.raises(SystemExit) as caught:
        run(raising(SystemExit(42)))
    assert caught.value.code == 42
