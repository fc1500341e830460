"""The mounts of a sandbox, made by its first program in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from pathlib import Path

from crossbuild.host.mounts import (
    MNT_DETACH,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    bind,
    check,
    libc,
    mount,
    mounts,
    remount,
)

PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
"""Numbers of pivot_root(2), which the C library does not offer."""

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
READ_ONLY_PROC = ("sys", "bus", "irq", "fs", "sysrq-trigger")
HIDDEN_PROC = ("kcore", "keys", "timer_list")


def protect_host(writable: list[str]) -> None:
    """Make every file system of the host read-only here, but for the *writable* folders."""
    for folder in writable:
        bind(folder, folder)
    kept = tuple(writable)
    for place, kind, flags in mounts():
        inside = any(place == folder or place.startswith(folder + "/") for folder in kept)
        # The private pseudo terminals must stay usable, and automount points must not be woken up.
        if not inside and kind not in {"devpts", "autofs", "proc"}:
            with contextlib.suppress(PermissionError, FileNotFoundError):
                remount(place, flags | MS_RDONLY)


def mount_api(root: str) -> None:
    """Mount /proc, /sys, /dev and /run below *root*, showing nothing of the host that can be changed."""
    for name in ("proc", "sys", "dev", "run"):
        make_mount_point(Path(root, name))
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    # Kernels are built without one or the other of these.
    for name in filter(lambda name: Path(root, "proc", name).exists(), READ_ONLY_PROC):
        bind(f"{root}/proc/{name}", f"{root}/proc/{name}", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in filter(lambda name: Path(root, "proc", name).exists(), HIDDEN_PROC):
        bind("/dev/null", f"{root}/proc/{name}")
    mount_sys(f"{root}/sys")
    mount("tmpfs", f"{root}/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    mount_dev(f"{root}/dev")


def show(source: str, root: str, target: str, flags: int) -> None:
    """Show *source* at *target*, a path below *root*; refuse a link there, which could lead out of *root*.

    Flags that *source* has already are kept: in a user namespace none of them can be taken away.
    """
    steps = Path(target).relative_to(root).parts
    for number in range(1, len(steps)):
        make_mount_point(Path(root, *steps[:number]))
    if Path(source).is_dir():
        make_mount_point(Path(target))
    elif not Path(target).is_file() or Path(target).is_symlink():
        Path(target).touch(exist_ok=False)
    held = os.statvfs(source).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    bind(source, target, flags | held)


def mount_sys(target: str) -> None:
    """Mount /sys read-only, the host's own where the kernel allows no new one: in a user namespace."""
    flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    try:
        mount("sysfs", target, "sysfs", flags)
    except PermissionError:
        bind("/sys", target)
        for place, _, present in mounts():
            if place == target or place.startswith(target + "/"):
                remount(place, flags | present)


def make_mount_point(path: Path) -> None:
    """Make the folder *path* if nothing is there; refuse a link, which could lead out of the root."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o755)
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder to mount on", os.fspath(path))


def mount_dev(dev: str) -> None:
    """Fill *dev* with the few harmless devices, terminals and shared memory."""
    mount("tmpfs", dev, "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        Path(dev, name).touch()
        bind(f"/dev/{name}", f"{dev}/{name}")
    for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        Path(dev, name).symlink_to(f"/proc/self/fd{number}")
    Path(dev, "pts").mkdir()
    mount("devpts", f"{dev}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620,gid=5")
    Path(dev, "ptmx").symlink_to("pts/ptmx")
    Path(dev, "shm").mkdir()
    mount("tmpfs", f"{dev}/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")


def pivot(root: str) -> None:
    """Make *root* the root of this mount namespace; nothing of the old one stays reachable."""
    os.chdir(root)
    dot = ctypes.c_char_p(b".")
    check(libc.syscall(PIVOT_ROOT[os.uname().machine], dot, dot), "pivot_root")
    check(libc.umount2(dot, MNT_DETACH), "the host's root")
    os.chdir("/")


def lend_resolver(content: str) -> Path | None:
    """Show the host's name servers at /etc/resolv.conf; return the path if it had to be made."""
    target = Path("/etc/resolv.conf")
    with contextlib.suppress(OSError):
        real = Path(os.path.realpath(target))
        if real.is_relative_to("/run"):  # on the sandbox's own tmpfs: gone with it
            real.parent.mkdir(parents=True, exist_ok=True)
            real.write_text(content, encoding="utf-8")
            return None
        missing = not real.exists()
        if missing:
            real.touch()
        lent = Path("/run/.resolv.conf")
        lent.write_text(content, encoding="utf-8")
        bind(str(lent), str(real), MS_RDONLY)
        # An empty file is what a killed run left; it goes as well.
        return real
    return None


def return_resolver(lent: Path | None) -> None:
    """Take the name servers away again, and the mount point where it holds nothing."""
    if lent is None:
        return
    libc.umount2(os.fsencode(lent), MNT_DETACH)
    with contextlib.suppress(OSError):
        if lent.is_file() and lent.stat().st_size == 0:
            lent.unlink()
