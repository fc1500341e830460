"""What ssh is told, and what its words mean."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.errors import HostKeyError, HostNotReadyError, NodeUnreachableError, ProvisionerError
from crossbuild.nodes import ssh as nodes_ssh
from crossbuild.nodes.client import LONGEST_SOCKET, control_socket, introduction_options, session_options, ssh
from crossbuild.nodes.complaints import error_of, words_of_ssh
from crossbuild.nodes.host_keys import HostKey, confirmed
from crossbuild.nodes.ssh import Connection
from tests.unit.nodes.values import KEY, make_node

FINGERPRINT = "SHA256:iHPhJXQx933/yK/Oj+YzCn/7JqIbGDMCHuADPumpMMM"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ssh: connect to host a port 22: Connection refused", NodeUnreachableError),
        ("ssh: Could not resolve hostname a: Name or service not known", NodeUnreachableError),
        ("Connection timed out during banner exchange", NodeUnreachableError),
        ("", NodeUnreachableError),
        ("root@a: Permission denied (publickey).", ProvisionerError),
        ("Received disconnect: Too many authentication failures", ProvisionerError),
        ("@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nSHA256:abc.\n", HostKeyError),
        ("No ED25519 host key is known for a and …\nHost key verification failed.", HostKeyError),
    ],
)
def test_each_failure_of_ssh_is_told_from_the_others(said: str, kind: type[ProvisionerError]) -> None:
    error = error_of("arm1", "a", said)
    assert type(error) is kind
    assert "arm1" in error.brief
    assert error.details
    assert error.resolution


def test_a_changed_key_is_told_from_one_that_was_never_there() -> None:
    said = "REMOTE HOST IDENTIFICATION HAS CHANGED\nSHA256:abc.\nHost key verification failed."
    changed = error_of("arm1", "a", said)
    assert ("another host key" in changed.brief, changed.details) == (True, "It shows SHA256:abc.")
    unknown = error_of("arm1", "a", "No RSA host key is known for a\nHost key verification failed.")
    assert "no host key that is trusted" in unknown.brief


def test_what_a_command_wrote_is_not_taken_for_words_of_ssh() -> None:
    said = "Permission denied\nConnection refused by the mirror\nclient_loop: send disconnect: Broken pipe\nx"
    assert words_of_ssh(said) == "client_loop: send disconnect: Broken pipe"
    assert error_of("arm1", "a", words_of_ssh("x")).details == "The connection was lost."


def option(options: list[str], name: str) -> str:
    """Return what ssh takes for *name*: the first value counts (ssh_config(5))."""
    return next(word.partition("=")[2] for word in options if word.startswith(f"{name}="))


def test_a_session_never_trusts_an_unknown_host_or_asks(tmp_path: Path) -> None:
    options = session_options(tmp_path / "50% of it", tmp_path / "s", 7)
    assert option(options, "StrictHostKeyChecking") == "yes"
    assert option(options, "BatchMode") == "yes"
    assert option(options, "ForwardAgent") == "no"
    assert option(options, "ConnectTimeout") == "7"
    assert option(options, "UserKnownHostsFile") == f'"{tmp_path}/50%% of it" ~/.ssh/known_hosts'


def test_an_introduction_tells_the_host_nothing(tmp_path: Path) -> None:
    options = introduction_options(tmp_path / "k", "ssh-ed25519", 7)
    assert option(options, "PreferredAuthentications") == "none"
    assert option(options, "ControlPath") == "none"
    assert ssh("u@h:2", ["-x"], ["true"]) == ["ssh", "-x", "-p", "2", "-l", "u", "--", "h", "true"]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's folder for sockets, with a short path, which those of tests are not."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_the_shared_connection_is_out_of_others_reach(runtime: Path, tmp_path: Path) -> None:
    socket = control_socket("a", tmp_path)
    assert socket.parent.parent == runtime
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert len(str(socket)) <= LONGEST_SOCKET
    assert socket != control_socket("b", tmp_path)
    assert socket != control_socket("a", tmp_path / "other")


def test_a_path_that_is_too_long_for_a_socket_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 80)))
    assert len(str(control_socket("a", tmp_path))) <= LONGEST_SOCKET


@pytest.mark.parametrize("mode", [0o770, 0o755])
def test_a_folder_that_others_can_reach_is_refused(runtime: Path, tmp_path: Path, mode: int) -> None:
    (runtime / "crossbuild").mkdir()
    (runtime / "crossbuild").chmod(mode)
    with pytest.raises(HostNotReadyError, match="not this user's alone"):
        control_socket("a", tmp_path)


@pytest.fixture
def connection(runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """One whose ssh does what `tmp_path/ssh` says; `asked` has a line for each time."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(nodes_ssh, "PAUSES", (0.0, 0.0, 0.0))
    return Connection(make_node(), tmp_path / "known_hosts")


def play_ssh(folder: Path, script: str) -> None:
    (folder / "ssh").write_text(f"#!/bin/sh\necho x >>{folder}/asked\n{script}\n")
    (folder / "ssh").chmod(0o755)


BUSY = "echo 'kex_exchange_identification: read: Connection reset by peer' >&2; exit 255"


def test_a_server_that_is_busy_is_tried_again(connection: Connection, tmp_path: Path) -> None:
    play_ssh(tmp_path, f'[ "$(wc -l <{tmp_path}/asked)" -gt 2 ] || {{ {BUSY}; }}; echo done')
    assert connection.run(["true"]).stdout == "done\n"
    lines: list[str] = []
    (tmp_path / "asked").unlink()
    connection.stream(["true"], lines.append)
    assert lines[-1] == "done"


def test_a_server_that_stays_busy_is_given_up(connection: Connection, tmp_path: Path) -> None:
    play_ssh(tmp_path, BUSY)
    with pytest.raises(NodeUnreachableError):
        connection.run(["true"])
    assert (tmp_path / "asked").read_text() == "x\n" * 4


def test_what_may_have_begun_is_not_begun_again(connection: Connection, tmp_path: Path) -> None:
    play_ssh(tmp_path, "echo begun; echo 'client_loop: send disconnect: Broken pipe' >&2; exit 255")
    lines: list[str] = []
    for attempt in (lambda: connection.run(["true"]), lambda: connection.stream(["true"], lines.append)):
        with pytest.raises(NodeUnreachableError):
            attempt()
    assert (tmp_path / "asked").read_text() == "x\n" * 2


def test_a_node_that_stays_silent_is_given_up(connection: Connection, tmp_path: Path) -> None:
    play_ssh(tmp_path, "exec sleep 60")
    with pytest.raises(NodeUnreachableError) as caught:
        connection.run(["true"], timeout=0.1)
    assert "did not answer within 0.1 s" in caught.value.details


def test_a_fingerprint_is_that_of_ssh_keygen() -> None:
    assert (HostKey(line=KEY).fingerprint, HostKey(line=KEY).kind) == (FINGERPRINT, "ssh-ed25519")


@pytest.mark.parametrize("given", [FINGERPRINT, FINGERPRINT.removeprefix("SHA256:")])
def test_a_fingerprint_picks_its_key(given: str) -> None:
    key = HostKey(line=KEY)
    assert confirmed([key], given, "a") == (key,)
    with pytest.raises(HostKeyError) as caught:
        confirmed([key], f"SHA256:{'A' * 43}", "a")
    assert FINGERPRINT in caught.value.details
