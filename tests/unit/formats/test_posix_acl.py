"""Access control lists in words."""

from __future__ import annotations

import struct

from crossbuild.formats.posix_acl import acl_text

NOBODY = 0xFFFFFFFF


def test_list_names_users_and_groups_by_number() -> None:
    entries = [(1, 7, NOBODY), (2, 6, 1000), (4, 5, NOBODY), (8, 4, 4), (16, 7, NOBODY), (32, 0, NOBODY)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    assert acl_text(value).split("\n") == [
        "user::rwx",
        "user:1000:rw-",
        "group::r-x",
        "group:4:r--",
        "mask::rwx",
        "other::---",
    ]
