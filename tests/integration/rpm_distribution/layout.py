"""Where the files of Debian packages lie in the RPM distributions: /usr merged, libraries in /usr/lib64."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from crossbuild.formats.elf import read_elf
from crossbuild.model.architecture import Architecture

LIB64 = "usr/lib64"
SYSTEM_UNITS = "usr/lib/systemd/system"
DROPPED = re.compile(
    r"usr/share/(doc|doc-base|man|locale|bash-completion|zsh|lintian|bug|menu|icons|applications|perl5/Debian)(/|$)"
    r"|usr/share/(debconf|initramfs-tools|dh-|fish|gdb|metainfo|polkit-1/rules.d/.*debian)"
    r"|etc/(init\.d|rc.\.d|apt|initramfs-tools|insserv|alternatives)(/|$)|usr/share/runit|etc/sv|etc/runit"
    r"|var/lib/(dpkg|rpm)(/|$)|usr/lib/dpkg|var/(run|lock)(/|$)|run(/|$)|etc/kernel/post"
    r"|usr/lib/(x86_64|aarch64)-linux-gnu/(perl|perl5)/.*/Debian"
)

KERNEL = re.compile(r"boot/(vmlinuz|config|System\.map)-(.+)")
"""Lies beside its modules; scripts copy it to /boot, or a package of openSUSE moves it there."""

UNITS = re.compile(rb"\b(chrony|ssh)\.service\b")
"""Debian's names of services that are called chronyd and sshd everywhere else."""
ALIAS = re.compile(rb"(?m)^Alias=(chronyd|sshd)\.service\n")


def placed(path: str, arch: Architecture) -> str | None:
    """Return where *path* of a Debian package, relative to the root, belongs; None where it is left out."""
    path = _moved(path, arch)
    if DROPPED.match(path):
        return None
    if path.startswith(f"{SYSTEM_UNITS}/"):
        return UNITS.sub(rb"\1d.service", path.encode()).decode()
    return KERNEL.sub(r"usr/lib/modules/\2/\1", path)


def link_target(path: str, target: str, arch: Architecture) -> str:
    """Return what the symbolic link *path* of a Debian package must say instead of *target*."""
    meant = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target)).lstrip("/")
    new = _moved(meant, arch)
    if target.startswith("/"):
        return f"/{new}"
    return posixpath.relpath(new, posixpath.dirname(_moved(path, arch)) or ".")


def move_package(unpacked: Path, root: Path, arch: Architecture) -> list[str]:
    """Move what one Debian package has at *unpacked* to its place below *root*; return its new paths, sorted.

    Folders are among them.
    """
    paths = set()
    for entry in _walk(unpacked):
        old = entry.relative_to(unpacked).as_posix()
        new = placed(old, arch)
        if new is None:
            continue
        target = root / new
        if entry.is_symlink():
            meant = link_target(old, str(entry.readlink()), arch)
            if posixpath.join("/", posixpath.dirname(new), meant) == f"/{new}":
                continue  # the file itself is there already, where both names became one
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(meant)
            shutil.copystat(entry, target, follow_symlinks=False)
        elif entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            target.chmod(entry.stat().st_mode & 0o7777)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            entry.rename(target)
            if new.startswith(f"{SYSTEM_UNITS}/"):
                _rename_services(target)
            _let_dependencies_be_found(target)
        paths.add(new)
    return sorted(paths)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _moves(arch: Architecture) -> Iterable[tuple[str, str]]:
    return (
        (f"usr/lib/{arch.multiarch}", LIB64),
        (f"lib/{arch.multiarch}", LIB64),
        ("lib64", LIB64),
        ("lib", "usr/lib"),
        ("bin", "usr/bin"),
        ("sbin", "usr/sbin"),
    )


def _moved(path: str, arch: Architecture) -> str:
    for old, new in _moves(arch):
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return path


def _rename_services(unit: Path) -> None:
    content = unit.read_bytes()
    unit.write_bytes(UNITS.sub(rb"\1d.service", ALIAS.sub(b"", content)))


def _let_dependencies_be_found(path: Path) -> None:
    """Libraries are executable in RPM distributions: only then rpmbuild looks into them."""
    if ".so" in path.name:
        with path.open("rb") as file:
            if read_elf(file) is not None:
                path.chmod(0o755)
