"""What ssh says when it cannot do its work, as errors that say what to do."""

from __future__ import annotations

import re

from crossbuild.errors import HostKeyError, NodeUnreachableError, ProvisionerError

SSH_FAILED = 255
"""Status of ssh for its own failures (ssh(1)); commands on nodes never end with it, see `ssh.py`."""

_UNKNOWN_KEY = "host key is known for"
"""ssh has no key for this host: `No ED25519 host key is known for … and you have requested …`"""
_KEY_FAILED = ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed")
_OWN_WORDS = re.compile(
    r"ssh: |ssh_|kex_|client_loop: |mux_client|Connection (closed|reset|timed out)|Timeout, server "
    r"|Read from remote |Received disconnect |[^ ]+: Permission denied|Host key |No [A-Z0-9]+ host key"
    r"|@ +WARNING: |SHA256:"
)
_LOGIN_FAILED = ("Permission denied", "Too many authentication failures", "No supported authentication")


class TurnedAwayError(NodeUnreachableError):
    """The server closed the connection at once: it has too many (sshd_config(5), MaxStartups)."""


def error_of(name: str, address: str, said: str) -> ProvisionerError:
    """Return the error for what ssh *said* about the node *name* before it ended with SSH_FAILED."""
    if any(words in said for words in _KEY_FAILED):
        return _key_error(name, address, said)
    if any(words in said for words in _LOGIN_FAILED):
        return ProvisionerError(
            f"The node {name} lets nobody in.",
            details=_last(said),
            resolution=f"Check that `ssh {address} true` works for this user without a question: "
            "crossbuild takes the keys, agents and tickets that ssh takes.",
        )
    turned_away = "_exchange_identification: " in said and "timed out" not in said
    return (TurnedAwayError if turned_away else NodeUnreachableError)(
        f"The node {name} cannot be reached.",
        details=_last(said),
        resolution=f"Check that {address} is up, and that `ssh {address} true` works.",
    )


def words_of_ssh(mixed: str) -> str:
    """Return the lines of *mixed* that are ssh's own, by how they begin; the others are of what ran there."""
    return "\n".join(line for line in mixed.splitlines() if _OWN_WORDS.match(line))


def silent(name: str, seconds: float) -> NodeUnreachableError:
    """Return the error for a node that did not answer in time."""
    return NodeUnreachableError(
        f"The node {name} cannot be reached.",
        details=f"It did not answer within {seconds:g} s.",
        resolution="Check that it is up, and that nothing on the way to it drops packets.",
    )


def _key_error(name: str, address: str, said: str) -> HostKeyError:
    changed = _UNKNOWN_KEY not in said
    what = "has another host key than when it was added" if changed else "has no host key that is trusted"
    shown = re.search(r"SHA256:[A-Za-z0-9+/]+", said)
    return HostKeyError(
        f"The node {name} {what}.",
        details=f"It shows {shown[0]}." if shown else _last(said),
        resolution="Nothing was sent to it. If its keys were changed on purpose, run "
        f"`crossbuild node remove {name}` and `crossbuild node add {address} --name {name}`, "
        "and compare the fingerprint with the one on its console.",
    )


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "The connection was lost."
