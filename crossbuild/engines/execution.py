"""Runs a command in a container on this process's own streams, as fast as the engine can.

Measured on two cores with Docker 20.10 and an emulated `true`, milliseconds: `crossbuild run` 96,
`docker exec` 82, `docker run` 341. Through the docker SDK it would be 270, and the engines' own clients
neither forward signals nor end the command when they are killed. Hence whatever is not needed to start it
is imported after that.
"""

from __future__ import annotations

import os
import time
from _json import encode_basestring_ascii as quoted  # json's own: all of json takes 8 ms to import

from crossbuild.engines.guardian import Guard
from crossbuild.engines.transport import Connection, EngineSilentError
from crossbuild.errors import CrossbuildError, HostNotReadyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_POLLS = (0.001, 0.002, 0.005, 0.01)
"""Seconds between looks at a command whose streams are closed and which has not ended; the last one stays."""

_LOOKS = 100
"""How often an engine is asked for the number of a process that it has started."""


class Execution:
    """A command in a container, known to the engine at the Unix socket *path*."""

    def __init__(self, path: str, container: str, settings: str, *, terminal: bool) -> None:
        """Announce it; it does not run yet. Raises RequestRefusedError: 404 no such container, 409 stopped.

        *settings* are the JSON of the Engine API, "Create an exec instance".
        """
        self._path, self.terminal = path, terminal
        with Connection(path) as connection:
            self.id = _identity(connection.request("POST", f"/containers/{container}/exec", settings))

    def start(self, connection: Connection) -> None:
        """Start it, with its streams on *connection*."""
        connection.upgrade(f"/exec/{self.id}/start", f'{{"Detach": false, "Tty": {_truth(self.terminal)}}}')

    def kill(self, number: int) -> None:
        """Send a signal to the command and all of its process group; it may have ended already."""
        for _ in range(_LOOKS):
            answer = self._inspect()
            # Once it has ended, its number may be another process's.
            if answer["Running"] and (pid := int(str(answer["Pid"]))):
                send(pid, number)
                return
            if not answer["Running"] and answer["ExitCode"] is not None:
                return
            # The command may write before the engine knows its number.
            time.sleep(_POLLS[-1])

    def resize(self) -> None:
        """Tell the command the size of this process's terminal."""
        # A command that ends meanwhile has no terminal any more, and a terminal that hangs up no size.
        try:
            size = os.get_terminal_size(0)
            with Connection(self._path) as connection:
                connection.request("POST", f"/exec/{self.id}/resize?h={size.lines}&w={size.columns}")
        except (OSError, CrossbuildError):
            pass

    def status(self) -> int:
        """Wait for its end and return its status, 128 and more for one that a signal ended."""
        pauses = iter(_POLLS)
        while (answer := self._inspect())["Running"]:
            time.sleep(next(pauses, _POLLS[-1]))
        return int(str(answer["ExitCode"]))

    def _inspect(self) -> dict[str, object]:
        import json

        with Connection(self._path) as connection:
            answer: dict[str, object] = json.loads(connection.request("GET", f"/exec/{self.id}/json"))
        return answer


def execute(
    path: str,
    container: str,
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: str,
    terminal: bool,
) -> int:
    """Run *argv* in *container* to its end and return its status, 128 and more after a signal.

    *path* is the engine's Unix socket; *environment* is added to the container's own. Signals that this
    process gets are handed on, Ctrl-C among them; if it is killed, the command is ended. Raises
    EngineSilentError, and RequestRefusedError (404 no such container, 409 it does not run), where the command
    has not begun, and HostNotReadyError where the engine goes away later.
    """
    settings = settings_for(argv, environment, directory, terminal=terminal)
    execution = Execution(path, container, settings, terminal=terminal)
    with Connection(path) as connection, Guard(execution):
        execution.start(connection)
        # While the engine works.
        from crossbuild.engines.attachment import attach

        try:
            return attach(connection.socket, execution)
        except (EngineSilentError, OSError) as error:
            # No EngineSilentError, after which the command would be run once more.
            raise HostNotReadyError(
                "The container engine went away while the command ran.",
                details=error.details if isinstance(error, EngineSilentError) else str(error),
                resolution="What the command did until then is in the builder; a rollback undoes a change.",
            ) from error


def settings_for(
    argv: Sequence[str], environment: Mapping[str, str], directory: str, *, terminal: bool
) -> str:
    """Return the JSON with which the engine is told of a command (Engine API, "Create an exec instance")."""
    variables = [f"{name}={value}" for name, value in environment.items()]
    return (
        '{"AttachStdin": true, "AttachStdout": true, "AttachStderr": true, '
        f'"Tty": {_truth(terminal)}, "WorkingDir": {quoted(directory)}, '
        f'"Cmd": {_list(as_unicode(argv))}, "Env": {_list(variables)}, '
        # Else the engine keeps Ctrl-P back, to see whether Ctrl-Q follows. Nobody types these.
        '"DetachKeys": "ctrl-@,ctrl-^,ctrl-@,ctrl-^"}'
    )


def send(pid: int, number: int) -> None:
    """Send the signal *number* to the process group of *pid*, as this host numbers it.

    Raises HostNotReadyError for a user who may use the engine but not signal what it started.
    """
    import signal

    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise HostNotReadyError(
            f"This user may not send {signal.Signals(number).name} to what the engine runs.",
            details=f"Process {pid}: {error.strerror}",
            resolution="Run crossbuild with `sudo`, so that it can end what it started.",
        ) from error


def _identity(answer: bytes) -> str:
    """Return the value of Id in the JSON *answer*, a row of hexadecimal digits."""
    words = answer.split(b'"')
    try:
        return words[words.index(b"Id") + 2].decode("ascii")
    except (ValueError, IndexError) as error:
        raise HostNotReadyError(
            "The container engine gave no number to a command.",
            details=answer.decode(errors="replace"),
            resolution="Update it: crossbuild needs version 1.40 of the Docker Engine API.",
        ) from error


def _truth(value: bool) -> str:  # noqa: FBT001
    return "true" if value else "false"


def _list(words: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, words))}]"


def as_unicode(argv: Sequence[str]) -> list[str]:
    """Return *argv*, or a shell's command line for it where it holds bytes that are not UTF-8.

    The API takes JSON, and so Unicode, and nothing else.
    """
    if not any(_odd(word) for word in argv):
        return list(argv)
    script = "".join(f"w{index}=$(printf '{_octal(word)}.'); " for index, word in enumerate(argv))
    words = " ".join(f'"${{w{index}%.}}"' for index in range(len(argv)))
    return ["/bin/sh", "-c", f"{script}exec {words}"]


def _odd(word: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in word)


def _octal(word: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(word))
