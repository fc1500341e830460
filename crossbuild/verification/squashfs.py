"""The members of a squashfs image, by the programs of squashfs-tools."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from crossbuild.host import command
from crossbuild.host.survey import CAPABILITY, walk
from crossbuild.verification.archives import Member
from crossbuild.verification.heads import HEAD_SIZE

_QUEUE = "32"
"""MiB that unsquashfs may hold of data, and again of fragments; 256 each by default."""
_FILE = re.compile(
    rb"(?P<path>(?:[^\\ ]|\\.)+) R \d+ \d+ \d+ \d+ (?P<size>\d+) (?P<offset>\d+)(?: \d+)?", re.DOTALL
)
"""A regular file: path, R, time, mode, owner, group, size, offset of its content, and whether it is sparse
(squashfs-tools, "Pseudo file definitions"); a backslash stands before odd bytes of a path."""
_ENTRY = re.compile(rb"(?:[^\\ ]|\\.)+ [A-Za-z] ", re.DOTALL)
"""How any entry begins. A newline in a path stands there as it is, and so ends a line too early."""
_DATA = b"# START OF DATA"
_CHUNK = 1 << 20


def read_squashfs(image: Path, *, capable: Sequence[PurePosixPath]) -> Iterator[Member]:
    """Yield the files of *image*; the capabilities of those that *capable* names, which needs root.

    Raises CommandFailedError or ValueError if it is damaged. unsquashfs before 4.5 cannot write to a pipe:
    there the image is unpacked beside itself for a moment.
    """
    if "-pf " not in _help():
        with _unpacked(image, ()) as tree:
            yield from _tree_members(tree)
        return
    # Apart from the content, which the stream below holds once for all names of a file.
    yield from _capabilities(image, capable)
    yield from _heads(image)


def _help() -> str:
    asked = command.capture(["unsquashfs", "-help"], check=False)
    return asked.stdout + asked.stderr


def _capabilities(image: Path, capable: Sequence[PurePosixPath]) -> Iterator[Member]:
    if capable:
        with _unpacked(image, capable) as tree:
            yield from (replace(member, head=b"") for member in _tree_members(tree))


@contextmanager
def _unpacked(image: Path, paths: Sequence[PurePosixPath]) -> Iterator[Path]:
    """Yield a scratch folder with *paths* of *image*, or with all of it."""
    with TemporaryDirectory(dir=image.parent, prefix=".unpacked-") as scratch:
        tree = Path(scratch, "root")
        tree.mkdir()
        command.capture(
            [
                "unsquashfs",
                "-no-progress",
                *(["-no-wildcards"] if paths else []),
                "-force",  # the folder is there, also if the image has none of *paths*
                "-dest", os.fspath(tree),
                os.fspath(image),
                *(str(path.relative_to("/")) for path in paths),
            ]
        )  # fmt: skip
        yield tree


def _tree_members(tree: Path) -> Iterator[Member]:
    for entry in walk(tree):
        if stat.S_ISREG(entry.status.st_mode):
            has = CAPABILITY in os.listxattr(entry.real)
            with FileIO(entry.real) as file:
                head = file.read(HEAD_SIZE)
            capability = os.getxattr(entry.real, CAPABILITY) if has else b""
            yield Member(path=entry.name, head=head, capability=capability)


def _heads(image: Path) -> Iterator[Member]:
    """Yield each regular file with the beginning of its content, from one stream of the whole image."""
    argv = [
        "unsquashfs",
        "-no-progress",
        "-data-queue", _QUEUE,
        "-frag-queue", _QUEUE,
        "-pf", "/dev/stdout",  # 4.5 takes `-` for the name of a file
        os.fspath(image),
    ]  # fmt: skip
    with command.output_of(argv, stdin=Path(os.devnull)) as stream:
        position = 0
        for path, size, offset in _listing(stream):
            position += _skip(stream, offset - position)
            head = stream.read(min(HEAD_SIZE, size))
            if len(head) < min(HEAD_SIZE, size):
                raise ValueError(f"it ends within {path}")
            position += len(head)
            yield Member(path=path, head=head)
        while stream.read(_CHUNK):
            pass


def _listing(stream: IO[bytes]) -> list[tuple[PurePosixPath, int, int]]:
    """Return path, size and offset of the regular files, in the order of their content, which follows."""
    files = []
    pending = b""
    for line in stream:
        if line.startswith(_DATA):
            break
        pending += line
        if not _ENTRY.match(pending):
            continue
        if match := _FILE.fullmatch(pending.rstrip(b"\n")):
            name = re.sub(rb"\\(.)", rb"\1", match["path"], flags=re.DOTALL)
            files.append((PurePosixPath("/", os.fsdecode(name)), int(match["size"]), int(match["offset"])))
        pending = b""
    else:
        raise ValueError("unsquashfs listed no content")
    stream.readline()  # the comment's last, empty line
    return sorted(files, key=lambda file: file[2])


def _skip(stream: IO[bytes], size: int) -> int:
    missing = size
    while missing > 0 and (block := stream.read(min(missing, _CHUNK))):
        missing -= len(block)
    return size - missing
