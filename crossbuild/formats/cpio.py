"""The "new ASCII" cpio format, newc, read as a stream.

Sources: cpio(5), "New ASCII Format"; Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAGICS = (b"070701", b"070702")
"""Without and with a checksum per file."""
_TRAILER = b"TRAILER!!!"
_HEADER_SIZE = 110
_MAX_NAME = 4096
_CHUNK = 1 << 20


class Readable(Protocol):
    """A stream of bytes, read forward."""

    def read(self, size: int, /) -> bytes:
        """Return the next *size* bytes, fewer only at the end."""
        ...


class DamagedCpioError(ValueError):
    """The stream is no newc archive, or it ends too early."""


@dataclass(frozen=True, kw_only=True)
class CpioMember:
    """One entry: its name as stored, its mode as stat(2) gives it, and how its content begins."""

    name: str
    mode: int
    size: int
    head: bytes


def read_newc(stream: Readable, *, head: int) -> Iterator[CpioMember]:
    """Yield each member of *stream* with the first *head* bytes of its content; raise DamagedCpioError.

    *stream* is read once, forward only, and no more than 1 MiB is held at a time.
    """
    while True:
        fields = _exactly(stream, _HEADER_SIZE)
        if fields[:6] not in MAGICS:
            raise DamagedCpioError(f"no member begins with {fields[:6]!r}")
        mode, size, name_size = (_number(fields, field) for field in (1, 6, 11))
        if not 0 < name_size <= _MAX_NAME:
            raise DamagedCpioError(f"a name of {name_size} bytes")
        name = _exactly(stream, name_size)[:-1]
        _exactly(stream, -(_HEADER_SIZE + name_size) % 4)
        content = _exactly(stream, min(head, size))
        _skip(stream, size - len(content) + -size % 4)
        if name == _TRAILER:
            return
        yield CpioMember(name=os.fsdecode(name), mode=mode, size=size, head=content)


def _number(fields: bytes, index: int) -> int:
    try:
        return int(fields[6 + 8 * index : 14 + 8 * index], 16)
    except ValueError as error:
        raise DamagedCpioError("a header with something else than numbers") from error


def _skip(stream: Readable, size: int) -> None:
    while size:
        size -= len(_exactly(stream, min(size, _CHUNK)))


def _exactly(stream: Readable, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise DamagedCpioError("it ends in the middle of a member")
    return content
