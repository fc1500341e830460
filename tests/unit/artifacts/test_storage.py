"""Writing files of a set."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossbuild.artifacts.storage import adopt, storing, write_blocks, write_text
from crossbuild.errors import StorageError


def failing(number: int) -> Iterator[bytes]:
    yield b"some"
    raise OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "brief"),
    [
        pytest.param(errno.ENOSPC, "is full", id="disk full"),
        pytest.param(errno.EDQUOT, "is full", id="quota"),
        pytest.param(errno.EIO, "failed", id="broken disk"),
    ],
)
def test_error_of_a_disk_names_the_place(tmp_path: Path, number: int, brief: str) -> None:
    with pytest.raises(StorageError, match=brief) as caught:
        write_blocks(failing(number), tmp_path, "ims/kernel")
    assert os.fspath(tmp_path / "ims/kernel") in caught.value.brief
    assert caught.value.resolution


def test_digests_of_what_was_written_are_those_of_what_is_read(tmp_path: Path) -> None:
    written = write_blocks([b"a" * 10, b"", b"b"], tmp_path, "deep/er/file")
    assert adopt(tmp_path, "deep/er/file") == written
    assert written.digests.size == 11


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_text("first", tmp_path, "file")
    with pytest.raises(StorageError):
        write_text("second", tmp_path, "file")
    assert (tmp_path / "file").read_text() == "first"


def test_names_that_are_not_utf8_arrive_as_they_are(tmp_path: Path) -> None:
    write_text(os.fsdecode(b"\xff"), tmp_path, "file")
    assert (tmp_path / "file").read_bytes() == b"\xff"


def test_missing_folder_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError), storing(tmp_path):
        (tmp_path / "no/file").write_text("")
