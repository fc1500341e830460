"""A network of this process's own, with `lo` and a device for one machine: nobody else is in reach of it."""

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
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
IFF_UP = 0x1
"""netdevice(7)."""
TUN = "/dev/net/tun"
TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x2, 0x1000, 0x4000
"""Linux, include/uapi/linux/if_tun.h; the last lets packets be as large as the machine takes them."""


@contextlib.contextmanager
def own_network(device: str, address: str, netmask: str) -> Iterator[None]:
    """Let this thread, and what it starts in the block, have a network of their own. Needs root.

    A machine can be plugged into the *device* there, behind which this host has *address*. Only root of the
    host can come back from it: in a private user namespace the thread stays in it. Raises HostNotReadyError.
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
            _raise(b"lo")
            _make_tap(device.encode(), address, netmask)
            yield
        finally:
            with contextlib.suppress(PermissionError):
                check(libc.setns(before.fileno(), CLONE_NEWNET), os.fspath(before.name))


def _make_tap(device: bytes, address: str, netmask: str) -> None:
    try:
        with open(TUN, "r+b", buffering=0) as tun:  # noqa: PTH123 - ioctl(2) wants a descriptor
            flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", device, flags))
            # It outlives this descriptor, and ends with the network.
            fcntl.ioctl(tun, TUNSETPERSIST, 1)
    except OSError as error:
        raise HostNotReadyError(
            "The kernel makes no network device for a machine.",
            details=f"{TUN}: {error.strerror}",
            resolution="Run `modprobe tun` as root.",
        ) from error
    for request, number in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, netmask)):
        _configure(request, struct.pack("16sHH4s16x", device, socket.AF_INET, 0, socket.inet_aton(number)))
    _raise(device)


def _raise(device: bytes) -> None:
    _configure(SIOCSIFFLAGS, struct.pack("16sh14x", device, IFF_UP))


def _configure(request: int, value: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, request, value)
