"""A node as a place where commands run, over one shared connection."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from crossbuild.errors import CommandFailedError, StorageError
from crossbuild.host.command import CommandResult, LineSink, capture, output_of, stream
from crossbuild.model.node import Node
from crossbuild.nodes.client import control_socket, session_options, ssh
from crossbuild.nodes.complaints import SSH_FAILED, TurnedAwayError, error_of, silent, words_of_ssh
from crossbuild.nodes.store import NodeStore

CONNECT_TIMEOUT = 10
"""Seconds until a host that does not answer is given up."""
CHUNK = 1 << 20
PAUSES = (0.3, 1.0, 2.0)
"""Seconds between attempts while a server has too many connections that have not logged in yet."""

Result = TypeVar("Result")

# A command's own 255 would look like ssh's. The shell is sh, whatever the user's is.
_RUN = '"$@"; status=$?; [ "$status" -ne 255 ] || status=254; exit "$status"'
# A lost connection looks like the end of the file: only the size tells.
_RECEIVE = 'umask 077; cat >"$1.part" && [ "$(wc -c <"$1.part")" -eq "$2" ] && mv -f "$1.part" "$1"'


class Connection:
    """Runs commands on *node* and carries files. Threads may share it, and so do processes of one user.

    The system's ssh does it, so the user's configuration holds. The connection is made by the first command
    and stays for a minute after the last one. In a private namespace (`host.namespace.become_root`), too, ssh
    runs as the user who called, with his own keys and configuration.

    All methods raise NodeUnreachableError where the connection cannot be made or is lost (which takes at most
    20 s to be noticed), HostKeyError where the host is not the one that was added, ProvisionerError where it
    lets nobody in.
    """

    def __init__(self, node: Node, known_hosts: Path, *, connect_timeout: int = CONNECT_TIMEOUT) -> None:
        """*known_hosts* has the keys of which the host must have one."""
        self.node = node
        self._socket = control_socket(node.address, known_hosts)
        self._options = session_options(known_hosts, self._socket, connect_timeout)

    def run(
        self, argv: Sequence[str], *, stdin: str = "", check: bool = True, timeout: float | None = 60
    ) -> CommandResult:
        """Run *argv* there to its end and return its output; raise CommandFailedError unless *check* is off.

        A status of 255 arrives as 254. After *timeout* seconds the node counts as unreachable, and what runs
        there may go on.
        """
        result = _patiently(lambda: self._run(argv, stdin, timeout))
        if check and result.status:
            raise self._failed(argv, result.status, result.stderr or result.stdout)
        return result

    def stream(self, argv: Sequence[str], on_line: LineSink) -> None:
        """Run *argv* there and hand each line of its merged output to *on_line*; raise as `run` does.

        Lines of ssh itself may be among them. The command may be silent for any time while the node is alive.
        """

        def once() -> None:
            with self._telling(argv, mixed=True):
                stream(self._command(argv), on_line=on_line)

        _patiently(once)

    def send(self, source: Path, target: PurePosixPath) -> None:
        """Copy the file *source* to *target* there, for its owner alone; it appears whole or not at all."""
        argv = ["sh", "-c", _RECEIVE, "sh", str(target), str(source.stat().st_size)]

        def once() -> None:
            with self._telling(argv), output_of(self._command(argv), stdin=source) as output:
                output.read()

        _patiently(once)

    def fetch(
        self, source: PurePosixPath, target: Path, *, on_bytes: Callable[[int], None] | None = None
    ) -> None:
        """Copy the file *source* from there to *target*, behind what *target* holds already.

        So a copy that was broken off is finished by the next call. Compare a digest afterwards: nobody checks
        here whether the parts are of one file. *on_bytes* is told how many bytes have arrived in all.
        """
        have = target.stat().st_size if target.exists() else 0
        argv = ["tail", "-c", f"+{have + 1}", "--", str(source)]
        _patiently(lambda: self._append(argv, target, have, on_bytes))

    def close(self) -> None:
        """End the shared connection, if there is one; commands of others that use it fail."""
        if self._socket.exists():
            capture(ssh(self.node.address, ["-O", "exit", *self._options]), check=False, timeout=5)

    def _run(self, argv: Sequence[str], stdin: str, timeout: float | None) -> CommandResult:
        try:
            done = capture(self._command(argv), stdin=stdin, check=False, timeout=timeout)
        except CommandFailedError as error:
            raise silent(self.node.name, timeout or 0) from error
        if done.status == SSH_FAILED:
            raise error_of(self.node.name, self.node.address, done.stderr)
        return CommandResult(argv=tuple(argv), status=done.status, stdout=done.stdout, stderr=done.stderr)

    def _append(
        self, argv: Sequence[str], target: Path, have: int, on_bytes: Callable[[int], None] | None
    ) -> None:
        with (
            _writing(target),
            self._telling(argv),
            output_of(self._command(argv), stdin=Path(os.devnull)) as output,
            target.open("ab") as file,
        ):
            while chunk := output.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if on_bytes:
                    on_bytes(have)

    def _command(self, argv: Sequence[str]) -> list[str]:
        # One argument with everything quoted: ssh itself joins words with spaces, unquoted.
        return ssh(self.node.address, self._options, [shlex.join(["exec", "sh", "-c", _RUN, "sh", *argv])])

    @contextlib.contextmanager
    def _telling(self, argv: Sequence[str], *, mixed: bool = False) -> Iterator[None]:
        """Raise what ssh failed with as an error of the node, and what *argv* failed with as its own.

        *mixed* says that what *argv* wrote is among what ssh said.
        """
        try:
            yield
        except CommandFailedError as error:
            _, _, said = error.details.partition("\n")  # the first line is the command line
            if error.status == SSH_FAILED:
                words = words_of_ssh(said) if mixed else said
                raise error_of(self.node.name, self.node.address, words) from error
            raise self._failed(argv, error.status, said) from error

    def _failed(self, argv: Sequence[str], status: int, said: str) -> CommandFailedError:
        return CommandFailedError(
            f"`{argv[0]}` exited with status {status} on the node {self.node.name}.",
            status=status,
            details="\n".join([f"Command: {shlex.join(argv)}", *said.splitlines()[-25:]]),
        )


def _patiently(once: Callable[[], Result]) -> Result:
    """Return what *once* returns; try again while the server turns it away, since nothing has begun."""
    for pause in PAUSES:
        with contextlib.suppress(TurnedAwayError):
            return once()
        time.sleep(pause)
    return once()


def connect(store: NodeStore, node: Node, *, connect_timeout: int = CONNECT_TIMEOUT) -> Connection:
    """Return the connection to a node of *store*; nothing is sent before the first command."""
    return Connection(node, store.known_hosts(node.name), connect_timeout=connect_timeout)


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Cannot write {target}.",
            details=str(error),
            resolution="Free some space there; what has arrived is kept.",
        ) from error
