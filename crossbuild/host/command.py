"""The one door to other programs: argv lists only, no shell, no output lost."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from crossbuild.errors import CommandFailedError, HostNotReadyError

TAIL_LINES = 25
"""How many of the last lines of output an error carries."""

LineSink = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What a finished program left: its *status* is minus the signal's number if one ended it."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with a fixed locale and *extra* on top."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", **(extra or {})}


def capture(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    executable: str | None = None,
    timeout: float | None = None,
) -> CommandResult:
    """Run *argv* to its end and return its output; raise CommandFailedError unless *check* is off.

    *env* is the whole environment of the program; without it, that of `environment()`. *executable* is the
    file to run where it is not what argv[0] says. After *timeout* seconds the program is killed, which always
    raises CommandFailedError.
    """
    try:
        done = subprocess.run(
            argv,
            executable=executable,
            env=environment() if env is None else env,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0]) from error
    except subprocess.TimeoutExpired as error:
        complaint = f"It did not end within {timeout:g} seconds."
        raise _failed(argv, -signal.SIGKILL, [complaint]) from error
    result = CommandResult(argv=tuple(argv), status=done.returncode, stdout=done.stdout, stderr=done.stderr)
    if check and result.status:
        raise _failed(argv, result.status, (result.stderr or result.stdout).splitlines()[-TAIL_LINES:])
    return result


def stream(
    argv: Sequence[str],
    *,
    on_line: LineSink,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> None:
    """Run *argv*, hand each line of its merged output to *on_line*, raise CommandFailedError if it fails.

    The program is killed if *on_line* raises, and on every way out of this function.
    """
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        process = subprocess.Popen(
            argv,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=pass_fds,
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0]) from error
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                tail.append(line.rstrip("\n"))
                on_line(tail[-1])
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _failed(argv, process.returncode, tail)


def stream_all(
    programs: Sequence[Sequence[str]], *, at_once: int, on_line: Callable[[int, str], None]
) -> tuple[int, ...]:
    """Run *programs*, *at_once* of them at a time, each line of standard output with its number to *on_line*.

    Returns all statuses, minus a signal's number. Standard error goes nowhere. What still runs when *on_line*
    or a signal raises is asked to end (SIGTERM) and waited for.
    """
    statuses = [0] * len(programs)
    waiting = deque(enumerate(programs))
    running: dict[int, subprocess.Popen[bytes]] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    number, argv = waiting.popleft()
                    running[number] = process = _listened(argv)
                    selector.register(_output(process), selectors.EVENT_READ, (number, _Lines()))
                for key, _ in selector.select():
                    number, lines = key.data
                    block = os.read(key.fd, 1 << 16)
                    for line in lines.of(block):
                        on_line(number, line)
                    if not block:
                        selector.unregister(key.fileobj)
                        with running.pop(number) as process:
                            statuses[number] = process.wait()
        except BaseException:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.communicate()
            raise
    return tuple(statuses)


class _Lines:
    """Puts together the lines of what arrives in blocks."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, block: bytes) -> list[str]:
        """Return the lines that *block* completes; an empty one completes the last."""
        *whole, self._rest = (self._rest + block).split(b"\n")
        if not block and self._rest:
            whole, self._rest = [self._rest], b""
        return [line.decode(errors="replace") for line in whole]


def _listened(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0]) from error


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


@contextlib.contextmanager
def output_of(argv: Sequence[str], *, stdin: Path) -> Iterator[IO[bytes]]:
    """Run *argv* on the file *stdin*, yield its standard output, raise CommandFailedError if it fails.

    The program is killed if the block raises.
    """
    # What it says about errors goes to a file: a pipe that nobody reads would stop it.
    with tempfile.TemporaryFile() as complaints, stdin.open("rb") as source:
        try:
            process = subprocess.Popen(
                argv, env=environment(), stdin=source, stdout=subprocess.PIPE, stderr=complaints
            )
        except FileNotFoundError as error:
            raise _not_installed(argv[0]) from error
        with process:
            try:
                assert process.stdout is not None
                yield process.stdout
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            complaints.seek(0)
            raise _failed(
                argv,
                process.returncode,
                complaints.read().decode(errors="replace").splitlines()[-TAIL_LINES:],
            )


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A program that runs beside this process."""

    input: IO[bytes]
    output: IO[bytes]
    """Both its standard output and its standard error."""
    ended: Callable[[], int | None]
    """Returns its status, minus a signal's number, and None as long as it runs."""


@contextlib.contextmanager
def beside(argv: Sequence[str], *, before_exec: Callable[[], None]) -> Iterator[Companion]:
    """Run *argv* while the block does, away from the terminal's signals, and kill it at the end.

    *before_exec* runs in the new process first: call this before any thread is started.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
            preexec_fn=before_exec,  # noqa: PLW1509 - see above
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0]) from error
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Companion(input=process.stdin, output=process.stdout, ended=process.poll)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def attached_copy(program: Callable[[], NoReturn]) -> int:
    """Run *program* in a copy of this process, on its own standard streams; return its status.

    The status is negative for a signal. *program* ends the copy itself, with `os._exit` or by replacing it;
    this process may have no threads. An interrupt from the terminal is the program's to handle: it reaches
    the whole foreground group. Any other reason to stop is passed on to it, and it is waited for.
    """
    for stream in (sys.stdout, sys.stderr):
        # What the copy held as well would be written twice.
        stream.flush()
    child = os.fork()
    if child == 0:
        try:
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    signal.signal(number, signal.SIG_DFL)
            program()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(1)
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except KeyboardInterrupt:
            continue
        except BaseException:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
            raise


@contextlib.contextmanager
def without_input() -> Iterator[None]:
    """Let what runs in the block read nothing, and write to standard error all that it writes."""
    sys.stdout.flush()
    kept = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept[0], 0)
        os.dup2(kept[1], 1)
        for descriptor in (*kept, nothing):
            os.close(descriptor)


def detached(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Start *argv* as a daemon: without this process's streams, terminal and signals, and not waited for."""
    try:
        process = subprocess.Popen(
            argv,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise _not_installed(argv[0]) from error
    # It is meant to outlive this process, so Python has nothing to warn about.
    process.returncode = 0


def find(program: str) -> str | None:
    """Return the path of *program* on PATH or in the sbin folders, None where it is not installed."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def _failed(argv: Sequence[str], status: int, tail: Sequence[str] | deque[str]) -> CommandFailedError:
    ended = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
    return CommandFailedError(
        f"`{argv[0]}` {ended}.",
        status=status,
        details="\n".join([f"Command: {shlex.join(argv)}", *tail]),
    )


def _not_installed(program: str) -> HostNotReadyError:
    return HostNotReadyError(
        f"`{program}` is not installed.",
        details="It was looked for on PATH.",
        resolution="Run `crossbuild doctor`: it names the package to install.",
    )
