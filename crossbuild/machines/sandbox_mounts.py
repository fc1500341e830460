"""The mounts of a sandbox, made by its first program in a mount namespace of its own."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
from pathlib import Path

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE = 0x20, 0x1000, 0x4000, 0x40000, 0x80000
MNT_DETACH = 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
"""Numbers of pivot_root(2), which the C library does not offer."""

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
READ_ONLY_PROC = ("sys", "bus", "irq", "fs", "sysrq-trigger")
HIDDEN_PROC = ("kcore", "keys", "timer_list")

OWN_NAMESPACE = Path("/proc/self/ns/mnt")

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise OSError naming *what* if a call of the C library failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def separate(flags: int) -> None:
    """Move this process, or for the PID namespace its children, into new namespaces (unshare(2))."""
    check(libc.unshare(flags), "new namespaces")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system of *kind*; raise OSError if the kernel refuses (mount(2))."""
    result = libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    check(result, target)


def bind(source: str, target: str, flags: int = 0) -> None:
    """Show *source* at *target*; the flags of a bind mount take a second call."""
    result = libc.mount(
        os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(MS_BIND | MS_REC), None
    )
    check(result, target)
    if flags:
        remount(target, flags)


def remount(target: str, flags: int) -> None:
    """Change the flags of one mount."""
    flags |= MS_REMOUNT | MS_BIND
    check(libc.mount(None, os.fsencode(target), None, ctypes.c_ulong(flags), None), target)


def mounts(table: Path = Path("/proc/self/mountinfo")) -> list[tuple[str, str, int]]:
    """Return (place, type, flags) of every mount of a namespace, by proc_pid_mountinfo(5)."""
    known = {"ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}
    found = []
    for line in table.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields = line.split(" ")
        place = fields[4].encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin-1")
        kind = fields[fields.index("-") + 1]
        flags = sum(known.get(option, 0) for option in fields[5].split(","))
        found.append((os.fsdecode(place), kind, flags))
    return found


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
