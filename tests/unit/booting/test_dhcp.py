"""What a machine is told that asks for an address."""

from __future__ import annotations

import socket

import pytest

from crossbuild.booting.dhcp import COOKIE, FIXED, answer

XID, MAC = b"\x12\x34\x56\x78", bytes.fromhex("525400123456")


def packet(kind: int, *, op: int = 1) -> bytes:
    head = bytes([op, 1, 6, 0]) + XID + bytes(20) + MAC + bytes(10)
    return head.ljust(FIXED, b"\xee") + COOKIE + b"\0" + bytes([53, 1, kind]) + b"\x0c\x02hi\xff"


@pytest.mark.parametrize(("asked", "told"), [(1, 2), (3, 5)])
def test_a_machine_gets_its_address_its_mask_and_its_way_out(asked: int, told: int) -> None:
    reply = answer(packet(asked))
    assert reply is not None
    assert (reply[0], reply[4:8], reply[28:34]) == (2, XID, MAC)
    assert socket.inet_ntoa(reply[16:20]) == "10.0.2.15"
    options = reply[FIXED + 4 :]
    assert options[:3] == bytes([53, 1, told])
    assert bytes([1, 4, 255, 255, 255, 0]) in options
    assert bytes([3, 4, 10, 0, 2, 2]) in options
    assert options.endswith(b"\xff")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(packet(1)[:100], id="cut short"),
        pytest.param(packet(1, op=2), id="an answer"),
        pytest.param(packet(7), id="a release"),
        pytest.param(packet(1).replace(COOKIE, b"\0\0\0\0"), id="BOOTP"),
        pytest.param(packet(1)[: FIXED + 4] + b"\x35", id="an option that is cut short"),
    ],
)
def test_whatever_else_comes_is_left_without_an_answer(said: bytes) -> None:
    assert answer(said) is None
