from __future__ import annotations

import io
import stat

import pytest

from crossbuild.formats.cpio import CpioMember, DamagedCpioError, read_newc


def member(name: str, content: bytes = b"", *, mode: int = stat.S_IFREG | 0o644) -> bytes:
    raw = name.encode("utf-8", "surrogateescape") + b"\0"
    fields = [1, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(raw), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


END = member("TRAILER!!!", mode=0)


def read(content: bytes, head: int = 4) -> list[CpioMember]:
    return list(read_newc(io.BytesIO(content), head=head))


def test_members_come_with_the_beginning_of_their_content() -> None:
    archive = member(".", mode=stat.S_IFDIR | 0o755) + member("etc/a", b"abcdefg") + member("b", b"x") + END
    assert read(archive + bytes(512)) == [
        CpioMember(name=".", mode=stat.S_IFDIR | 0o755, size=0, head=b""),
        CpioMember(name="etc/a", mode=stat.S_IFREG | 0o644, size=7, head=b"abcd"),
        CpioMember(name="b", mode=stat.S_IFREG | 0o644, size=1, head=b"x"),
    ]


def test_names_that_are_not_utf8_survive() -> None:
    (found,) = read(member("caf\udce9\n") + END)
    assert found.name == "caf\udce9\n"


def test_every_shorter_beginning_of_an_archive_is_damaged() -> None:
    archive = member("a", b"content") + END
    for size in range(len(archive) - 3):
        with pytest.raises(DamagedCpioError):
            read(archive[:size])


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(b"070707" + bytes(200), id="another format"),
        pytest.param(b"070701" + b"Z" * 104, id="no numbers"),
        pytest.param(member("")[:94] + b"0" * 8 + member("")[102:], id="no name"),
    ],
)
def test_what_is_no_newc_is_refused(archive: bytes) -> None:
    with pytest.raises(DamagedCpioError):
        read(archive)


class CountingStream(io.BytesIO):
    """Remembers the largest read that was asked for."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size or 0)
        return super().read(size)


@pytest.mark.parametrize("field", [6, 11], ids=["content", "name"])
def test_a_header_that_claims_4_gib_asks_for_no_such_read(field: int) -> None:
    header = bytearray(member("a"))
    header[6 + 8 * field : 14 + 8 * field] = b"FFFFFFFF"
    stream = CountingStream(bytes(header))
    with pytest.raises(DamagedCpioError):
        list(read_newc(stream, head=4))
    assert stream.largest <= 1 << 20
