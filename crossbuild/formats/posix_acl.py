"""Access control lists as tar's readers want them: in words, with numbers for users and groups.

GNU tar writes the *names* that this host gives to the numbers. A node that has other names, or none yet,
then grants rights to somebody else or refuses the list: bsdtar in Warewulf 3's initramfs does.
"""

from __future__ import annotations

import struct

KEYWORDS = {
    "system.posix_acl_access": "SCHILY.acl.access",
    "system.posix_acl_default": "SCHILY.acl.default",
}
"""pax keyword of each attribute that holds a list (star(5), "POSIX.1-2001 EXTENSIONS")."""

_VERSION, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
# Linux, include/uapi/linux/posix_acl.h and posix_acl_xattr.h: ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ,
# ACL_GROUP, ACL_MASK, ACL_OTHER.
_WORDS = {0x01: "user:", 0x02: "user:{}", 0x04: "group:", 0x08: "group:{}", 0x10: "mask:", 0x20: "other:"}


def acl_text(value: bytes) -> str:
    """Return the attribute's *value* as acl(5) writes a list, one entry a line."""
    entries = _ENTRY.iter_unpack(value[_VERSION.size :])
    return "\n".join(f"{_WORDS[tag].format(number)}:{_letters(rights)}" for tag, rights, number in entries)


def _letters(rights: int) -> str:
    return "".join(letter if rights & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
