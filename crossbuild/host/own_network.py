"""A network of this process's own, with nothing but `lo`: what it starts reaches nobody else, on no port."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

from crossbuild.errors import HostNotReadyError
from crossbuild.host.mounts import check, libc, separate

CLONE_NEWNET = 0x40000000
"""unshare(2)."""
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
"""netdevice(7)."""


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """Let this thread, and what it starts in the block, have a network of their own. Needs root.

    Only root of the host can come back from it: in a private user namespace the thread stays in it.
    Raises HostNotReadyError.
    """
    with open("/proc/thread-self/ns/net", "rb") as before:  # noqa: PTH123 - setns(2) wants a descriptor
        try:
            separate(CLONE_NEWNET)
        except OSError as error:
            raise HostNotReadyError(
                "The kernel gives no network of its own.",
                details=str(error),
                resolution="Run this as root, outside of containers that forbid new network namespaces.",
            ) from error
        try:
            _raise_loopback()
            yield
        finally:
            with contextlib.suppress(PermissionError):
                check(libc.setns(before.fileno(), CLONE_NEWNET), os.fspath(before.name))


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
