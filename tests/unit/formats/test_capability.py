from __future__ import annotations

import struct

import pytest

from crossbuild.formats.capability import NAMES, Capabilities, decode, encode, from_text, to_text

NET_RAW = 1 << 13
REVISION_2 = bytes.fromhex("0100000200200000000000000000000000000000")
"""What `setcap cap_net_raw=ep` of libcap 2.66 stores."""
REVISION_3 = bytes.fromhex("0000000301000000000000000000000000000000e8030000")
"""What `setcap -n 1000 cap_chown=p` of libcap 2.66 stores."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(REVISION_2, "cap_net_raw=ep", id="revision 2"),
        pytest.param(REVISION_3, "cap_chown=p [rootid=1000]", id="revision 3"),
        pytest.param(struct.pack("<5I", 2 << 24 | 1, 3, 0, 0, 0), "cap_chown,cap_dac_override=ep", id="two"),
        pytest.param(struct.pack("<5I", 2 << 24 | 1, 1, 1, 0, 0), "cap_chown=eip", id="inheritable too"),
        pytest.param(struct.pack("<5I", 2 << 24, 1, 2, 0, 0), "cap_chown=p cap_dac_override=i", id="apart"),
        pytest.param(
            struct.pack("<5I", 2 << 24 | 1, 0, 0, 1 << 8, 0), "cap_checkpoint_restore=ep", id="high"
        ),
        pytest.param(struct.pack("<5I", 2 << 24, 0, 0, 1 << 31, 0), "63=p", id="newer than this table"),
        pytest.param(struct.pack("<5I", 2 << 24, 0, 0, 0, 0), "=", id="none"),
    ],
)
def test_value_and_text_are_two_forms_of_one_thing(value: bytes, text: str) -> None:
    assert to_text(value) == text
    assert from_text(text) == value


def test_revision_1_holds_32_capabilities() -> None:
    assert decode(struct.pack("<3I", 1 << 24 | 1, NET_RAW, 0)) == Capabilities(
        permitted=NET_RAW, inheritable=0, effective=True
    )


@pytest.mark.parametrize(
    "value",
    [b"", b"\0\0\0", REVISION_2[:-1], REVISION_2 + b"\0", b"\0\0\0\x04" + bytes(20), bytes(20)],
)
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="no capability attribute"):
        decode(value)


@pytest.mark.parametrize(
    "text", ["cap_nonsense=ep", "64=p", "cap_chown", "cap_chown+ep", "cap_chown=x", "cap_chown=ep cap_kill=p"]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"capabilit"):
        from_text(text)


def test_names_stand_at_the_index_of_their_bit() -> None:
    for name, bit in (("cap_chown", 0), ("cap_net_raw", 13), ("cap_sys_admin", 21), ("cap_setfcap", 31)):
        assert NAMES.index(name) == bit
    assert NAMES.index("cap_checkpoint_restore") == 40


def test_every_capability_survives_both_ways() -> None:
    for bit in range(64):
        capabilities = Capabilities(permitted=1 << bit, inheritable=0, effective=True)
        assert decode(from_text(to_text(encode(capabilities)))) == capabilities
