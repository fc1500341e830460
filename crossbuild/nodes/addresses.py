"""Where a node is: `[USER@]HOST[:PORT]`, read strictly, since it ends up on a command line of ssh."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from crossbuild.errors import UsageError

HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
"""A name of DNS or of ssh_config(5); never an option."""
USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?")
"""A login, also one of a directory service, such as `name@realm`."""


@dataclass(frozen=True, kw_only=True)
class SshAddress:
    """The parts of an address; what is empty is left to ssh_config(5)."""

    host: str
    user: str = ""
    port: int | None = None

    @property
    def arguments(self) -> list[str]:
        """What stands at the end of a command line of ssh."""
        port = [] if self.port is None else ["-p", str(self.port)]
        user = ["-l", self.user] if self.user else []
        return [*port, *user, "--", self.host]


def parse_ssh_address(text: str) -> SshAddress:
    """Return the parts of *text*; raise UsageError for what is no address of a host."""
    user, at, place = text.rpartition("@")
    host, port = _split(place)
    if (
        (at and not USER.fullmatch(user))
        or not (HOST.fullmatch(host) or _is_ip(host))
        or (port is not None and not 0 < port < 65536)
    ):
        raise UsageError(
            f"{text!r} is no address of a node.",
            resolution="Write it as [USER@]HOST[:PORT], such as build@arm1.example.org:2222.",
        )
    return SshAddress(host=host, user=user, port=port)


def _split(place: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^]]*)\](?::(\d{1,5}))?", place)
    if bracketed:
        return bracketed[1], int(bracketed[2]) if bracketed[2] else None
    if place.count(":") == 1:
        host, _, port = place.partition(":")
        # 0 is no port: what is no number is refused with it.
        return host, int(port) if re.fullmatch(r"\d{1,5}", port) else 0
    return place, None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
