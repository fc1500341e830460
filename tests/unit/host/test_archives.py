"""Trees as archives, read back with other programs' eyes."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from crossbuild.errors import ArtifactError
from crossbuild.host import archives
from crossbuild.host.archives import newc, pax, pax_size
from crossbuild.host.command import capture, find

ODD = b"odd\n\xff"
DEEP = "/".join(["deep" * 10] * 6)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with the names and kinds that archives stumble over."""
    root = tmp_path / "tree"
    (root / DEEP).mkdir(parents=True)
    (root / DEEP / "end").write_bytes(b"x" * 1000)
    (root / "b").write_bytes(b"twice")
    (root / "a-link").hardlink_to(root / "b")
    (root / "soft").symlink_to("./b/")
    os.mkfifo(root / "fifo")
    (root / os.fsdecode(ODD)).write_bytes(b"")
    (root / "empty").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root)  # a socket's path has room for 107 bytes
        listener.bind("socket")
        os.chdir(here)
    return root


def read_tar(root: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(pax(root))), errors="surrogateescape") as archive:
        return {member.name: member for member in archive}


def test_pax_holds_everything_but_sockets_in_one_order(tree: Path) -> None:
    members = read_tar(tree)
    names = [".", "./a-link", "./b", *(f"./{'/'.join(DEEP.split('/')[: count + 1])}" for count in range(6))]
    assert list(members) == [
        *names, f"./{DEEP}/end", "./empty", "./fifo", f"./{os.fsdecode(ODD)}", "./soft"
    ]  # fmt: skip
    assert members["./fifo"].isfifo()
    assert members["./soft"].linkname == "./b/"


def test_pax_stores_a_file_with_two_names_once(tree: Path) -> None:
    members = read_tar(tree)
    assert members["./a-link"].size == 5
    assert (members["./b"].islnk(), members["./b"].linkname) == (True, "./a-link")


def test_pax_size_is_known_before(tree: Path) -> None:
    assert pax_size(tree) == len(b"".join(pax(tree)))


def test_pax_says_nothing_about_this_host(tree: Path) -> None:
    member = read_tar(tree)["./b"]
    assert (member.uname, member.gname) == ("", "")
    assert not {"atime", "ctime", "mtime"} & member.pax_headers.keys()


@pytest.mark.parametrize("content", [b"shorter", b"longer than before"])
def test_file_that_changes_meanwhile_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "first").touch()
    (tmp_path / "second").write_bytes(b"ten bytes.")
    blocks = pax(tmp_path)
    next(blocks), next(blocks)  # the root and the first file: the folder was listed
    (tmp_path / "second").write_bytes(content)
    with pytest.raises(ArtifactError, match="changed"):
        list(blocks)


def test_keyword_of_an_attribute_never_holds_an_equals_sign(tree: Path) -> None:
    try:
        os.setxattr(tree / "empty", "user.a=b", b"\xff\0")
    except OSError:
        pytest.skip("this file system has no user attributes")
    headers = read_tar(tree)["./empty"].pax_headers
    assert os.fsencode(headers["SCHILY.xattr.user.a%3Db"]) == b"\xff\0"


@pytest.mark.skipif(find("cpio") is None, reason="cpio is not installed")
def test_newc_holds_the_same_names(tree: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(b"".join(newc(tree, tmp_path / "names", owner="+0:+0")))
    members = read_tar(tree)
    assert (tmp_path / "names").read_bytes().split(b"\0")[:-1] == [os.fsencode(name) for name in members]
    listing = capture(
        ["cpio", "--list", "--quiet", "--verbose", "--numeric-uid-gid", f"--file={archive}"]
    ).stdout
    assert len([line for line in listing.splitlines() if line[:1] in "-dlp"]) == len(members)
    assert {line.split()[2] for line in listing.splitlines() if line.startswith("-")} == {"0"}


def test_padding_fills_blocks() -> None:
    assert [len(archives.padding(size)) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
