"""The error boundary: every way in which a command can end becomes a message and an exit status."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import NoReturn

import click

from crossbuild.cli.options import Session
from crossbuild.errors import CrossbuildError, StorageError, TerminatedError

INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as a shell reports it."""


class _EndedError(CrossbuildError):
    """The user, or who runs the user's programs, wanted no more of it."""

    def __init__(self, brief: str, exit_code: int) -> None:
        super().__init__(brief, resolution="Run the same command again: it takes up what is done.")
        self.exit_code = exit_code


def guarded(work: Callable[[], int], *, session: Session, argv: Sequence[str]) -> int:
    """Do *work* and return its exit status, or that of the error which it told the user about."""
    ending: CrossbuildError
    try:
        with _signals_unwind():
            status = work()
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        _forget_output()
        return CrossbuildError.exit_code
    except click.ClickException as error:
        return _tell_click(error, as_json=session.as_json or "--json" in _own(argv))
    except (KeyboardInterrupt, click.Abort, TerminatedError) as error:
        ending = _ended(error, argv)
    except CrossbuildError as error:
        ending = error
    except Exception as error:
        ending = _unexpected(error, argv)
    return _tell(ending, as_json=session.as_json)


def _tell(error: CrossbuildError, *, as_json: bool) -> int:
    # Imported here: `--help` and a good end do not wait for rich.
    from crossbuild.cli import console

    # A terminal that is gone or a disk that is full must not hide the exit status.
    with contextlib.suppress(OSError, CrossbuildError):
        if isinstance(error, _EndedError):
            console.note(error.brief)
        else:
            console.show_error(error)
    if as_json:
        _print_error(error)
    try:
        sys.stdout.flush()
    except OSError:
        _forget_output()
    return error.exit_code


def _tell_click(error: click.ClickException, *, as_json: bool) -> int:
    error.show()
    if as_json:
        told = CrossbuildError(error.format_message(), resolution="Run the command with `--help`.")
        told.exit_code = error.exit_code
        _print_error(told)
    return error.exit_code


def _print_error(error: CrossbuildError) -> None:
    from crossbuild.cli import console

    parts = {key: getattr(error, key) for key in ("brief", "details", "resolution", "exit_code")}
    with contextlib.suppress(OSError, CrossbuildError):
        console.print_json_line({"error": parts})


def _ended(error: BaseException, argv: Sequence[str]) -> CrossbuildError:
    if isinstance(error.__cause__, EOFError):
        # click takes a file that ends too early for Ctrl-D at a prompt, whose own Ctrl-D has no cause.
        return _unexpected(error.__cause__, argv)
    if isinstance(error, TerminatedError):
        return _EndedError(f"Ended by {signal.Signals(error.number).name}.", 128 + error.number)
    return _EndedError("Interrupted.", INTERRUPTED)


def _unexpected(error: BaseException, argv: Sequence[str]) -> CrossbuildError:
    from crossbuild.cli.crash import write_crash_log

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            "A disk is full.",
            details=f"{error.strerror}: {error.filename or 'where the output goes'}",
            resolution="Free some space there, then run the same command again.",
        )
    log = write_crash_log(error, argv)
    return CrossbuildError(
        f"crossbuild met something that it was not made for ({type(error).__name__}).",
        details=f"{error}\nThe whole story is in {log}" if log else str(error),
        resolution="Report it to the project with that file; look through the file before you pass it on.",
    )


def _forget_output() -> None:
    """Let what stdout still holds go nowhere: nobody can take it.

    Python flushes once more when it ends, which would fail aloud and with a status of its own
    (docs.python.org, signal, "Note on SIGPIPE").
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError):
        os.dup2(nowhere, sys.stdout.fileno())


def _own(argv: Sequence[str]) -> Sequence[str]:
    """Return what precedes `--`, the part that is not another program's."""
    return argv[: list(argv).index("--")] if "--" in argv else argv


@contextlib.contextmanager
def _signals_unwind() -> Iterator[None]:
    """Make SIGTERM and SIGHUP unwind like Ctrl-C for the length of the block, unless they are ignored."""
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    previous = [(number, signal.signal(number, _end)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in previous:
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> NoReturn:
    for again in (signal.SIGTERM, signal.SIGHUP):
        # The first one is enough; a second would interrupt the cleaning up.
        signal.signal(again, signal.SIG_IGN)
    raise TerminatedError(number)
