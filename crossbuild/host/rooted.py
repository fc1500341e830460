"""Paths inside a root: a symbolic link there never leads out to this host."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from crossbuild.host.requirements import OS_RELEASE, parse_os_release

MAX_LINKS = 40
"""As many links as the kernel follows in one path before it gives up (path_resolution(7))."""


def resolve(root: Path, path: str | PurePosixPath, *, last_link: bool = True) -> Path:
    """Return where *path* lies on this host once *root* is taken for `/`, as chroot(2) would see it.

    Every link is followed inside *root*; the last one only if *last_link*. The result need not exist.
    Raises OSError (ELOOP) for a chain of links without an end.
    """
    pending = [part for part in reversed(PurePosixPath(path).parts) if part != "/"]
    current = PurePosixPath("/")
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            current = current.parent
            continue
        candidate = current / part
        real = root / candidate.relative_to("/")
        if not real.is_symlink() or not (pending or last_link):
            current = candidate
            continue
        links += 1
        if links > MAX_LINKS:
            raise OSError(40, os.strerror(40), os.fspath(real))
        target = PurePosixPath(real.readlink())
        if target.is_absolute():
            current = PurePosixPath("/")
        pending.extend(part for part in reversed(target.parts) if part != "/")
    return root / current.relative_to("/")


def inside(root: Path, path: Path) -> PurePosixPath:
    """Return *path*, a place on this host below *root*, as a process inside the root names it."""
    return PurePosixPath("/") / path.relative_to(root)


def os_release(root: Path) -> dict[str, str]:
    """Return what os-release(5) of *root* says, keys in upper case; empty where it has no such file."""
    for name in OS_RELEASE:
        try:
            return parse_os_release(resolve(root, name).read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
    return {}
