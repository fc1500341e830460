"""As much of DHCP as the one machine of a boot needs: always the same address (RFC 2131, RFC 2132)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from crossbuild.booting.machine import ADDRESS, CABLE, HOST, NETMASK

SERVER_PORT, CLIENT_PORT = 67, 68
REQUEST, REPLY = 1, 2
DISCOVER, OFFER, ASK, ACKNOWLEDGE = 1, 2, 3, 5
COOKIE = b"\x63\x82\x53\x63"
FIXED = 236
"""Bytes before the cookie (RFC 2131, figure 1)."""
PAD, MASK, ROUTER, LEASE, KIND, IDENTITY, END = 0, 1, 3, 51, 53, 54, 255
LEASE_SECONDS = 86400
LONGEST = 4096


def answer(packet: bytes) -> bytes | None:
    """Return what to say to *packet* of a client, None where nothing is to be said."""
    if len(packet) < FIXED + len(COOKIE) or packet[0] != REQUEST or packet[FIXED:][:4] != COOKIE:
        return None
    kind = _options(packet[FIXED + len(COOKIE) :]).get(KIND, b"")
    reply = {bytes([DISCOVER]): OFFER, bytes([ASK]): ACKNOWLEDGE}.get(kind)
    if reply is None:
        return None
    head = bytearray(packet[:FIXED])
    head[0] = REPLY
    head[16:24] = socket.inet_aton(ADDRESS) + socket.inet_aton(HOST)  # the client's, and the next server's
    head[44:FIXED] = bytes(FIXED - 44)  # no names of server and file
    options = (
        (KIND, bytes([reply])),
        (IDENTITY, socket.inet_aton(HOST)),
        (LEASE, struct.pack("!I", LEASE_SECONDS)),
        (MASK, socket.inet_aton(NETMASK)),
        (ROUTER, socket.inet_aton(HOST)),
    )
    body = b"".join(bytes([code, len(value)]) + value for code, value in options)
    return bytes(head) + COOKIE + body + bytes([END])


@contextlib.contextmanager
def leases() -> Iterator[None]:
    """Answer the machine at the other end of the cable while the block runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, CABLE.encode())
        server.bind(("", SERVER_PORT))
        thread = threading.Thread(target=_serve, args=(server,), name="DHCP server", daemon=True)
        thread.start()
        try:
            yield
        finally:
            # It wakes up the thread, which close(2) does not.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(server: socket.socket) -> None:
    while packet := server.recv(LONGEST):
        if reply := answer(packet):
            # Who asks has no address yet, so everybody is told; a machine that has gone needs no answer.
            with contextlib.suppress(OSError):
                server.sendto(reply, ("255.255.255.255", CLIENT_PORT))


def _options(data: bytes) -> dict[int, bytes]:
    found, place = {}, 0
    while place + 1 < len(data) and data[place] != END:
        if data[place] == PAD:
            place += 1
            continue
        length = data[place + 1]
        found[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return found
