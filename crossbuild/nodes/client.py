"""Command lines of the system's OpenSSH client: what crossbuild asks of it beyond the user's configuration.

Names of options are those of ssh_config(5). Jump hosts, Kerberos, agents and keys are the user's own affair:
what is not set here is as the user's and the system's configuration have it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from crossbuild.errors import HostNotReadyError
from crossbuild.host.caller import as_caller, user_id
from crossbuild.nodes.addresses import parse_ssh_address

SSH = "ssh"
PERSIST = 60
"""Seconds for which a connection that nobody uses stays open."""
ALIVE_INTERVAL, ALIVE_COUNT = 5, 3
"""A connection counts as lost after that many questions, so many seconds apart, without an answer."""
LONGEST_SOCKET = 90
"""Bytes: sockaddr_un has 108 (unix(7)), of which ssh wants 17 for a name that it binds first."""
_NAME_LENGTH = len("/ssh-") + 16

QUIET = (
    "-T",  # no terminal, whatever the configuration says
    "-o", "BatchMode=yes",
    "-o", "LogLevel=ERROR",  # no banners: what is said is why it failed
    "-o", "RemoteCommand=none",
    "-o", "PermitLocalCommand=no",
    "-o", "ClearAllForwardings=yes",
    "-o", "ForwardAgent=no",  # nothing of the user's is within reach of a build
    "-o", "ForwardX11=no",
    "-o", "UpdateHostKeys=no",  # keys of nodes are taken in by `node add` alone
    "-o", "VisualHostKey=no",
)  # fmt: skip


def session_options(known_hosts: Path, socket: Path, connect_timeout: int) -> list[str]:
    """Return the options for a session over a connection that all processes of a user share by *socket*.

    The host must prove itself by a key in *known_hosts*, or one that the user or the system trusts.
    """
    return [
        *QUIET,
        "-o", f"ConnectTimeout={connect_timeout}",
        "-o", f"ServerAliveInterval={ALIVE_INTERVAL}",
        "-o", f"ServerAliveCountMax={ALIVE_COUNT}",
        "-o", "StrictHostKeyChecking=yes",
        "-o", f"UserKnownHostsFile={_quoted(known_hosts)} ~/.ssh/known_hosts",
        "-o", "ControlMaster=auto",
        "-o", f"ControlPersist={PERSIST}",
        "-o", f"ControlPath={_quoted(socket)}",
    ]  # fmt: skip


def introduction_options(scratch: Path, algorithms: str, connect_timeout: int) -> list[str]:
    """Return the options with which ssh puts a host's key of *algorithms* into *scratch*; nobody logs in."""
    return [
        *QUIET,
        "-o", f"ConnectTimeout={connect_timeout}",
        "-o", "StrictHostKeyChecking=accept-new",
        "-o", f"UserKnownHostsFile={_quoted(scratch)}",
        "-o", "GlobalKnownHostsFile=/dev/null",
        "-o", "HashKnownHosts=no",
        "-o", f"HostKeyAlgorithms={algorithms}",
        "-o", "PreferredAuthentications=none",  # nothing is told to a host that nobody has vouched for
        "-o", "ControlPath=none",
    ]  # fmt: skip


def ssh(address: str, options: Sequence[str], command: Sequence[str] = ()) -> list[str]:
    """Return a whole command line; *command* has been quoted for a shell."""
    return as_caller([SSH, *options, *parse_ssh_address(address).arguments, *command])


def control_socket(address: str, known_hosts: Path) -> Path:
    """Return where the shared connection to *address* is found, in a folder that is this user's alone.

    One for each file of host keys: what one accepts must not serve for another.
    """
    digest = hashlib.sha256(f"{address}\0{known_hosts}".encode()).hexdigest()[:16]
    return _private_folder() / f"ssh-{digest}"


def _private_folder() -> Path:
    """Return a folder of mode 0700 with a short path; raise HostNotReadyError where that cannot be."""
    place = _runtime_folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = place.lstat()
    # In /tmp, somebody else may have been there first.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise HostNotReadyError(
            f"{place} is not this user's alone.",
            details="Connections to nodes are kept there, which anybody who reaches them could use.",
            resolution=f"Remove {place}, or set XDG_RUNTIME_DIR to a folder of this user's.",
        )
    return place


def _runtime_folder() -> Path:
    user = user_id()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "/run" if user == 0 else "")
    place = Path(runtime) / "crossbuild"
    if runtime and len(os.fsencode(place)) <= LONGEST_SOCKET - _NAME_LENGTH:
        return place
    return Path(f"/tmp/crossbuild-{user}")  # noqa: S108 - looked at before use


def _quoted(path: Path) -> str:
    """Return *path* as one word of ssh_config(5), where `%` begins a token."""
    return f'"{os.fspath(path).replace("%", "%%")}"'
