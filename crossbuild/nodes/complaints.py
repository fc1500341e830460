"""What ssh says when it cannot do its work, as errors that say what to do."""

from __future__ import annotations

import re

from crossbuild.errors import HostKeyError, NodeUnreachableError, ProvisionerError

SSH_FAILED = 255
"""Status of ssh for its own failures (ssh(1)); commands on nodes never end with it, see `ssh.py`."""

_UNKNOWN_KEY = "host key is known for"
"""ssh has no key for this host: `No ED25519 host key is known for … and you have requested …`"""
_KEY_FAILED = ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed")
_LOGIN_FAILED = ("Permission denied", "Too many authentication failures", "No supported authentication")


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
    return NodeUnreachableError(
        f"The node {name} cannot be reached.",
        details=_last(said),
        resolution=f"Check that {address} is up, and that `ssh {address} true` works.",
    )


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
    return lines[-1] if lines else "ssh gave no reason."
