from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from crossbuild.engines import streams
from crossbuild.engines.streams import STDERR, STDOUT, Frames, Output, Pump

WRITTEN = b"\x01\0\0\0\0\0\0\x05hello\x02\0\0\0\0\0\0\x03bad\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x01!"


@pytest.mark.parametrize("size", [1, 3, 8, 9, 100])
def test_frames_arrive_whole_however_they_are_cut(size: int) -> None:
    frames, got = Frames(), {STDOUT: b"", STDERR: b""}
    for start in range(0, len(WRITTEN), size):
        for stream, data in frames.feed(WRITTEN[start : start + size]):
            got[stream] += data
    assert got == {STDOUT: b"hello!", STDERR: b"bad"}


class Command:
    """The far end, which keeps what it was told."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.resized = 0

    def kill(self, number: int) -> None:
        self.signals.append(number)

    def resize(self) -> None:
        self.resized += 1


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_input_goes_to_its_end_and_output_comes_back(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STDIN", pipe[0])
    near, far = socket.socketpair()
    sent = os.urandom(300_000)
    os.set_blocking(pipe[1], True)

    def command() -> None:
        taken = b""
        while data := far.recv(1 << 16):
            taken += data
        far.sendall(b"\x01\0\0\0" + len(taken).to_bytes(4) + taken)
        far.close()

    def typist() -> None:
        # A duplicate, so that its end is the end of the input.
        with os.fdopen(os.dup(pipe[1]), "wb") as file:
            os.dup2(os.open(os.devnull, os.O_WRONLY), pipe[1])
            file.write(sent)

    threads = [threading.Thread(target=work) for work in (command, typist)]
    for thread in threads:
        thread.start()
    got: list[bytes] = []
    Pump(near, Command(), terminal=False).run(lambda _, data: got.append(data))
    for thread in threads:
        thread.join()
    near.close()
    assert b"".join(got) == sent


def test_signals_are_handed_on_and_handlers_come_back(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STDIN", pipe[0])
    near, far = socket.socketpair()
    command, before = Command(), signal.getsignal(signal.SIGTERM)

    def heard(_stream: int, data: bytes) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGWINCH):
            os.kill(os.getpid(), number)
        far.close()

    far.sendall(b"go")
    Pump(near, command, terminal=True).run(heard)
    near.close()
    assert command.signals == [signal.SIGTERM, signal.SIGINT]
    assert command.resized == 1
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_command_whose_reader_left_gets_sigpipe_once() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = Command()
    output = Output(command)
    output(writer, b"lost")
    output(writer, b"lost, too")
    os.close(writer)
    assert command.signals == [signal.SIGPIPE]
