"""File capabilities: the value of `security.capability` and the text that getcap(8) and setcap(8) use.

Sources: Linux, include/uapi/linux/capability.h (`struct vfs_cap_data`, `struct vfs_ns_cap_data`);
capabilities(7); cap_text_formats(7).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = (
    "cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill",
    "cap_setgid", "cap_setuid", "cap_setpcap", "cap_linux_immutable", "cap_net_bind_service",
    "cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module",
    "cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot",
    "cap_sys_nice", "cap_sys_resource", "cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease",
    "cap_audit_write", "cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin",
    "cap_syslog", "cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf",
    "cap_checkpoint_restore",
)  # fmt: skip
"""Every capability's name at the index of its bit."""

_EFFECTIVE = 1
_SHAPES: Mapping[int, struct.Struct] = {
    1: struct.Struct("<3I"),
    2: struct.Struct("<5I"),
    3: struct.Struct("<6I"),
}
"""One shape per revision, which stands in the top byte of the first word."""
_CLAUSE = re.compile(r"(?P<names>[a-z0-9_,]*)=(?P<flags>[eip]*)")
_ROOT_ID = re.compile(r"\s*\[rootid=(?P<id>\d+)\]\s*$")


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """The capabilities of one file; bit N stands for the capability that NAMES lists at N."""

    permitted: int
    inheritable: int
    effective: bool
    """One flag for all of them: whether they are in force as soon as the program starts."""
    root_id: int = 0
    """User id, outside, of the root of the user namespace in which they hold; 0 for all namespaces."""


def decode(value: bytes) -> Capabilities:
    """Return the meaning of a `security.capability` attribute; raise ValueError where it has none."""
    revision = value[3] if len(value) >= 4 else 0
    shape = _SHAPES.get(revision)
    if shape is None or len(value) != shape.size:
        raise ValueError(f"no capability attribute: revision {revision} of {len(value)} bytes")
    words = shape.unpack(value)
    low_permitted, low_inheritable = words[1:3]
    high_permitted, high_inheritable = words[3:5] if revision > 1 else (0, 0)
    return Capabilities(
        permitted=low_permitted | high_permitted << 32,
        inheritable=low_inheritable | high_inheritable << 32,
        effective=bool(words[0] & _EFFECTIVE),
        root_id=words[5] if revision == 3 else 0,
    )


def encode(capabilities: Capabilities) -> bytes:
    """Return the attribute's value: revision 3 where *capabilities* has a root id, else revision 2."""
    revision = 3 if capabilities.root_id else 2
    words = [
        revision << 24 | (_EFFECTIVE if capabilities.effective else 0),
        capabilities.permitted & 0xFFFFFFFF,
        capabilities.inheritable & 0xFFFFFFFF,
        capabilities.permitted >> 32,
        capabilities.inheritable >> 32,
    ]
    return _SHAPES[revision].pack(*words, *([capabilities.root_id] if revision == 3 else []))


def to_text(value: bytes) -> str:
    """Return *value* as setcap takes it, such as `cap_net_admin,cap_net_raw=ep`; raise ValueError.

    Capabilities are always listed by name: what getcap shortens to `=ep` depends on the kernel it runs on.
    """
    capabilities = decode(value)
    clauses = []
    for flags, mask in (
        ("ip", capabilities.permitted & capabilities.inheritable),
        ("p", capabilities.permitted & ~capabilities.inheritable),
        ("i", capabilities.inheritable & ~capabilities.permitted),
    ):
        if mask:
            clauses.append(f"{','.join(_names(mask))}={'e' if capabilities.effective else ''}{flags}")
    text = " ".join(clauses) or "="
    return f"{text} [rootid={capabilities.root_id}]" if capabilities.root_id else text


def from_text(text: str) -> bytes:
    """Return the attribute's value for *text*, in the form that `to_text` writes; raise ValueError."""
    root_id = _ROOT_ID.search(text)
    permitted = inheritable = 0
    effective = set()
    for clause in _ROOT_ID.sub("", text).split():
        parts = _CLAUSE.fullmatch(clause)
        if parts is None:
            raise ValueError(f"not a capability clause: {clause}")
        mask, flags = _mask(parts["names"]), parts["flags"]
        permitted |= mask if "p" in flags else 0
        inheritable |= mask if "i" in flags else 0
        if mask and flags:
            effective.add("e" in flags)
    if len(effective) > 1:
        raise ValueError(f"a file's capabilities are in force all or none: {text}")
    return encode(
        Capabilities(
            permitted=permitted,
            inheritable=inheritable,
            effective=effective == {True},
            root_id=int(root_id["id"]) if root_id else 0,
        )
    )


def _names(mask: int) -> list[str]:
    bits = [bit for bit in range(64) if mask >> bit & 1]
    return [NAMES[bit] if bit < len(NAMES) else str(bit) for bit in bits]


def _mask(names: str) -> int:
    mask = 0
    for name in filter(None, names.split(",")):
        bit = int(name) if name.isdigit() else NAMES.index(name) if name in NAMES else -1
        if not 0 <= bit < 64:
            raise ValueError(f"unknown capability: {name}")
        mask |= 1 << bit
    return mask
