from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crossbuild.engines.attachment import Verdict
from crossbuild.engines.execution import Execution, as_unicode, send, settings_for
from crossbuild.engines.streams import STDERR, STDOUT, Output
from crossbuild.errors import HostNotReadyError
from tests.unit.engines.servers import answer, engine

REFUSALS = {
    b'OCI runtime exec failed: exec failed: unable to start container process: exec: "x": executable file '
    b"not found in $PATH: unknown\r\n": 127,
    b'OCI runtime exec failed: exec failed: exec: "/x": stat /x: no such file or directory: unknown\r\n': 127,
    b'OCI runtime exec failed: exec failed: exec: "/x": permission denied: unknown\r\n': 126,
    b"Error: crun: executable file `x` not found in $PATH: No such file or directory\n": 127,
}


class Heard(Output):
    """Keeps what would be written."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []

    def __call__(self, stream: int, data: bytes) -> None:
        self.written.append((stream, data))


@pytest.mark.parametrize(("said", "status"), REFUSALS.items())
def test_what_the_engine_says_goes_to_the_error_stream_with_a_shells_status(said: bytes, status: int) -> None:
    heard = Heard()
    verdict = Verdict(heard)
    verdict(STDOUT, said)
    assert verdict.settle(126) == status
    assert heard.written == [(STDERR, said.rstrip() + b"\n")]


def test_a_program_may_write_what_reads_as_the_engines() -> None:
    heard = Heard()
    verdict = Verdict(heard)
    words = next(iter(REFUSALS))
    verdict(STDOUT, words)
    assert verdict.settle(0) == 0
    assert heard.written == [(STDOUT, words)]


def test_unicode_goes_as_it_is() -> None:
    assert as_unicode(["printf", "ü\n", "", "$x"]) == ["printf", "ü\n", "", "$x"]


def test_other_bytes_arrive_through_a_shell() -> None:
    words = [b"\xff\n\n", b"'", b"a b", b"", b"*", b"\\n%s", "ü".encode()]
    line = as_unicode(["printf", "%s\\0", *(os.fsdecode(word) for word in words)])
    assert json.loads(json.dumps(line)) == line
    assert subprocess.run(line, capture_output=True, check=True).stdout == b"".join(
        word + b"\0" for word in words
    )


@pytest.mark.parametrize("word", ["a b", 'say "\\"', "ü\n\t\x01\x7f", "\U0001f600", "", "{}"])
def test_the_engine_is_told_every_word_as_it_is(word: str) -> None:
    settings = json.loads(settings_for(["x", word], {"NAME": word}, f"/{word}", terminal=True))
    assert (settings["Cmd"], settings["Env"]) == (["x", word], [f"NAME={word}"])
    assert (settings["WorkingDir"], settings["Tty"], settings["AttachStdin"]) == (f"/{word}", True, True)


def state(*, running: bool, pid: int, code: int | None) -> bytes:
    return answer(200, json.dumps({"Running": running, "Pid": pid, "ExitCode": code}).encode())


@pytest.mark.parametrize(
    ("states", "sent"),
    [
        pytest.param([state(running=True, pid=7, code=None)], [7], id="it runs"),
        pytest.param(
            [state(running=False, pid=0, code=None), state(running=True, pid=7, code=None)],
            [7],
            id="it is about to run",
        ),
        pytest.param([state(running=False, pid=7, code=0)], [], id="its number may be another's"),
    ],
)
def test_signals_go_to_what_runs_and_to_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states: list[bytes], sent: list[int]
) -> None:
    got: list[tuple[int, int]] = []
    monkeypatch.setattr("crossbuild.engines.execution.send", lambda pid, number: got.append((pid, number)))
    path = tmp_path / "socket"
    with engine(path, [answer(201, b'{"Id":"x"}'), *states]):
        Execution(str(path), "box", "{}", terminal=False).kill(signal.SIGTERM)
    assert got == [(pid, signal.SIGTERM) for pid in sent]


@pytest.mark.parametrize("said", [b'{"Id":"0a1b"}', b'{"Warnings": null, "Id": "0a1b"}\n'])
def test_the_engines_number_of_a_command_is_read(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "socket"
    with engine(path, [answer(201, said)]):
        assert Execution(str(path), "box", "{}", terminal=False).id == "0a1b"


@pytest.mark.parametrize("said", [b"", b"{}", b'{"Id"', b'{"Id": 7}'])
def test_an_engine_that_gives_no_number_is_told(tmp_path: Path, said: bytes) -> None:
    path = tmp_path / "socket"
    with engine(path, [answer(201, said)]), pytest.raises(HostNotReadyError, match="no number"):
        Execution(str(path), "box", "{}", terminal=False)


def test_the_status_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    states = [state(running=True, pid=7, code=None), state(running=False, pid=7, code=9)]
    with engine(path, [answer(201, b'{"Id":"x"}'), *states]) as requests:
        assert Execution(str(path), "box", "{}", terminal=False).status() == 9
    assert requests[1].startswith(b"GET /v1.40/exec/x/json ")


def test_a_process_that_is_gone_needs_no_signal() -> None:
    with subprocess.Popen(["true"], start_new_session=True) as process:
        process.wait()
    send(process.pid, signal.SIGTERM)


def test_starting_a_command_imports_nothing_slow() -> None:
    script = "import sys, crossbuild.engines.execution; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    slow = {"docker", "requests", "http.client", "subprocess", "typing", "dataclasses", "pathlib", "inspect"}
    slow |= {"json", "re", "enum", "signal", "socket", "contextlib", "functools"}
    assert not slow & set(loaded.split())
