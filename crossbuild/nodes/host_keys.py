"""The keys by which a host proves itself: asked for once, shown to a person, kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import CommandFailedError, HostKeyError, NodeUnreachableError
from crossbuild.host.command import capture
from crossbuild.nodes.client import introduction_options, ssh
from crossbuild.nodes.complaints import error_of, silent

ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384", "rsa-sha2-512,rsa-sha2-256")
"""Signatures by the kinds of keys that sshd has by default (sshd_config(5), HostKey), the best first."""
TIMEOUT = 10


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """One key of a host, as a line of a known_hosts file (sshd(8))."""

    line: str

    @property
    def kind(self) -> str:
        """Its type, such as `ssh-ed25519`."""
        return self.line.split()[1]

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it: `SHA256:…`."""
        digest = hashlib.sha256(base64.b64decode(self.line.split()[2], validate=True)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def ask_host_keys(name: str, address: str) -> tuple[HostKey, ...]:
    """Return the keys of the host at *address*, through the user's jump hosts, without logging in to it.

    Nobody has vouched for them yet. Raises NodeUnreachableError.
    """
    with ThreadPoolExecutor(len(ALGORITHMS)) as pool:
        answers = list(pool.map(lambda kind: _ask(name, address, kind), ALGORITHMS))
    keys = tuple(key for answer in answers if isinstance(answer, tuple) for key in answer)
    if not keys:
        raise next(answer for answer in answers if isinstance(answer, Exception))
    return keys


def confirmed(keys: Sequence[HostKey], fingerprint: str, address: str) -> tuple[HostKey, ...]:
    """Return the keys that have *fingerprint*; raise HostKeyError if none has."""
    wanted = fingerprint if fingerprint.startswith("SHA256:") else f"SHA256:{fingerprint}"
    found = tuple(key for key in keys if key.fingerprint == wanted.rstrip("="))
    if not found:
        raise HostKeyError(
            f"{address} has no host key with the fingerprint {wanted}.",
            details="It has:\n" + "\n".join(f"{key.fingerprint} ({key.kind})" for key in keys),
            resolution="Look at the fingerprints on the host's own console: "
            "`ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub`.",
        )
    return found


def _ask(name: str, address: str, algorithms: str) -> tuple[HostKey, ...] | Exception:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "known_hosts"
        command = ssh(address, introduction_options(scratch, algorithms, TIMEOUT), ["true"])
        try:
            # It ends with a refusal, since nobody logs in; what counts is the file.
            said = capture(command, check=False, timeout=TIMEOUT + 5).stderr
        except CommandFailedError:
            return silent(name, TIMEOUT + 5)
        lines = scratch.read_text(encoding="utf-8").splitlines() if scratch.exists() else []
    keys = tuple(key for key in (HostKey(line=line) for line in lines) if _is_sound(key))
    if keys:
        return keys
    error = error_of(name, address, said)
    return (
        error
        if isinstance(error, NodeUnreachableError)
        else NodeUnreachableError(error.brief, details=error.details, resolution=error.resolution)
    )


def _is_sound(key: HostKey) -> bool:
    try:
        return bool(key.kind and key.fingerprint)
    except (IndexError, binascii.Error):
        return False
