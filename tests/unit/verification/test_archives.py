from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from crossbuild.verification.archives import DAMAGE, Member, read_layers, read_packed
from crossbuild.verification.heads import HEAD_SIZE
from tests.unit.formats.test_cpio import END, member

P = PurePosixPath
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
"""As text it is not UTF-8 once a byte above 0x7f is in it, see below."""


def tar(
    files: Mapping[str, bytes], *, capabilities: Mapping[str, bytes] | None = None, link: str = ""
) -> bytes:
    """Return a pax tar of *files* and, with *link*, of a second name for the first of them."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            if value := (capabilities or {}).get(name):
                text = value.decode("utf-8", "surrogateescape")
                entry.pax_headers = {"SCHILY.xattr.security.capability": text}
            archive.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.LNKTYPE, next(iter(files))
            archive.addfile(entry)
    return content.getvalue()


def packed(tmp_path: Path, content: bytes) -> list[Member]:
    path = tmp_path / "archive"
    path.write_bytes(content)
    return list(read_packed(path))


NEWC = member(".", mode=0o40755) + member("./usr/bin/x", b"abc") + END


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(NEWC, id="newc"),
        pytest.param(gzip.compress(NEWC), id="newc in gzip"),
        pytest.param(gzip.compress(NEWC[:50]) + gzip.compress(NEWC[50:]), id="newc in two members of gzip"),
        pytest.param(gzip.compress(tar({"./usr/bin/x": b"abc"})), id="tar in gzip"),
        pytest.param(tar({"usr/bin/x": b"abc"}), id="tar"),
    ],
)
def test_every_form_of_archive_gives_the_same_members(tmp_path: Path, content: bytes) -> None:
    assert packed(tmp_path, content) == [Member(path=P("/usr/bin/x"), head=b"abc")]


@pytest.mark.parametrize("value", [CAPABILITY, bytes(range(256))])
def test_capabilities_arrive_from_a_tar_byte_by_byte(tmp_path: Path, value: bytes) -> None:
    content = tar({"./x": b"abc"}, capabilities={"./x": value}, link="./y")
    assert packed(tmp_path, content) == [
        Member(path=P("/x"), head=b"abc", capability=value),
        Member(path=P("/y"), same_as=P("/x")),
    ]


def test_large_files_are_skipped_and_not_held(tmp_path: Path) -> None:
    members = packed(tmp_path, tar({"a": b"A" * 3_000_000, "b": b"B"}))
    assert [(found.path, len(found.head)) for found in members] == [(P("/a"), HEAD_SIZE), (P("/b"), 1)]


def test_a_tar_inside_an_image_is_a_file_like_others(tmp_path: Path) -> None:
    (found,) = packed(tmp_path, tar({"x.tar": tar({"inner": b"abc"})}))
    assert found.path == P("/x.tar")


def test_the_layers_of_a_docker_archive_are_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    layers = {"1/layer.tar": tar({"a": b"A"}), "2/layer.tar": tar({"b.tar": tar({"c": b"C"})})}
    path.write_bytes(tar({**layers, "manifest.json": b"[]"}))
    assert [found.path for found in read_layers(path)] == [P("/a"), P("/b.tar")]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(NEWC[:-20], id="newc cut"),
        pytest.param(gzip.compress(NEWC)[:-12], id="gzip cut"),
        pytest.param(tar({"a": bytes(2000)})[:1500], id="tar cut"),
        pytest.param(b"junk" * 300, id="junk"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_damaged_archive_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DAMAGE):
        packed(tmp_path, content)
