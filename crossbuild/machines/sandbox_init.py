"""The first program of a sandbox: it makes the namespaces and mounts, then starts the command.

It runs as a file of its own (`python -I -S sandbox_init.py SPEC COMMAND…`) and so imports nothing of
crossbuild. SPEC is the JSON of `crossbuild.machines.sandbox.Sandbox`. All mounts are made in a private
mount namespace whose processes die with crossbuild, so that not even `kill -9` leaves one behind.
Two processes stay until the command ends: the outer one forwards signals and repeats the command's exit
status exactly; the inner one is PID 1 of the sandbox and reaps orphans.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import stat
import struct
import sys
from pathlib import Path
from typing import NoReturn, TypedDict

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x04000000, 0x08000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
"""Numbers of pivot_root(2), which the C library does not offer."""

# What maintainer scripts need and no more: changing owners and ids, file capabilities, chroot, device
# nodes (which the root's `nodev` makes harmless). No mounting, no modules, no clock, no network set-up.
KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
CAP_MKNOD = 27
MAX_CAPABILITY = 63
ALL_CAPABILITIES = frozenset(range(MAX_CAPABILITY + 1))
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
READ_ONLY_PROC = ("sys", "bus", "irq", "fs", "sysrq-trigger")
HIDDEN_PROC = ("kcore", "keys", "timer_list")
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""Signals that reach crossbuild alone; those of the terminal reach the command by themselves."""
CANNOT_START = 126
UMASK = 0o022
"""Whoever calls: modes in an image must not depend on it."""

libc = ctypes.CDLL(None, use_errno=True)


class Spec(TypedDict):
    """The JSON form of a sandbox."""

    parent: int
    root: str
    pivot: bool
    api: bool
    binds: list[tuple[str, str, bool]]
    writable: list[str]
    hostname: str
    resolv_conf: str
    confined: bool


def check(result: int, what: str) -> None:
    """Raise OSError naming *what* if a call of the C library failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


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


def mounts() -> list[tuple[str, str, int]]:
    """Return (place, type, flags) of every mount of this namespace, by proc_pid_mountinfo(5)."""
    known = {"ro": MS_RDONLY, "nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC}
    found = []
    for line in (
        Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    ):
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


def keep_capabilities(kept: frozenset[int]) -> None:
    """Take all others from the bounding set; exec(2) does the rest."""
    for number in sorted(ALL_CAPABILITIES - kept):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)


def die_with_parent(expected: int) -> None:
    """Have the kernel kill this process as soon as its parent ends, and check that it has not yet."""
    check(libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl")
    if os.getppid() != expected:
        os._exit(CANNOT_START)


def furnish(spec: Spec) -> Path | None:
    """Make all mounts of the sandbox; return what `return_resolver` needs."""
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    if spec["hostname"]:
        name = spec["hostname"].encode()
        check(libc.sethostname(name, len(name)), "hostname")
    root = spec["root"]
    if spec["writable"]:
        protect_host(spec["writable"])
    if not spec["pivot"]:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    elif root:
        bind(root, root, MS_NODEV)
    if spec["api"]:
        mount_api(root)
    for source, target, read_only in spec["binds"]:
        if Path(source).is_dir():
            Path(target).mkdir(parents=True, exist_ok=True)
        bind(source, target, MS_RDONLY | MS_NOSUID | MS_NODEV if read_only else 0)
    if not spec["pivot"]:
        return None
    pivot(root)
    return lend_resolver(spec["resolv_conf"]) if spec["resolv_conf"] else None


def start(argv: list[str], *, confined: bool) -> int:
    """Fork and execute *argv* as a child of PID 1; return its process id."""
    child = os.fork()
    if child:
        return child
    for number in (*FORWARDED, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    os.umask(UMASK)
    # One that makes its own mounts makes a /dev, too: of mounts, as for ordinary users, not of nodes.
    keep_capabilities(KEPT_CAPABILITIES if confined else ALL_CAPABILITIES - {CAP_MKNOD})
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        print(f"crossbuild: cannot start {argv[0]}: {error.strerror}", file=sys.stderr)
        os._exit(127 if missing else CANNOT_START)


def be_init(spec: Spec, argv: list[str], report: int) -> NoReturn:
    """Be PID 1: furnish the sandbox, run the command, reap, and write its wait status to *report*."""
    try:
        lent = furnish(spec)
    except OSError as error:
        print(f"crossbuild: cannot make the sandbox: {error}", file=sys.stderr)
        os._exit(CANNOT_START)
    command = start(argv, confined=spec["confined"])
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: os.kill(command, received))
    while True:
        ended, status = os.wait()
        if ended == command:
            break
    return_resolver(lent)
    os.write(report, struct.pack("i", status))
    os._exit(0)


def restore_terminal(group: int | None) -> None:
    """Give the terminal back to crossbuild's own process group, which an inner shell may have left."""
    if group is None:
        return
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(0, group)


def foreground_group() -> int | None:
    """Return the terminal's foreground process group where this process has a terminal."""
    try:
        return os.tcgetpgrp(0) if os.isatty(0) else None
    except OSError:
        return None


def repeat(status: int) -> NoReturn:
    """End as the command ended: with its exit status, or by its signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def main() -> NoReturn:
    """Make the sandbox that argv[1] describes and run argv[2:] in it."""
    spec: Spec = json.loads(sys.argv[1])
    die_with_parent(spec["parent"])
    group = foreground_group()
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) < 0:
        reason = os.strerror(ctypes.get_errno())
        print(f"crossbuild: cannot make namespaces: {reason}", file=sys.stderr)
        os._exit(CANNOT_START)
    reading, writing = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(reading)
        # Inside the new PID namespace the parent's id reads as 0.
        die_with_parent(0)
        be_init(spec, sys.argv[2:], writing)
    os.close(writing)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: os.kill(init, received))
    _, init_status = os.waitpid(init, 0)
    answer = os.read(reading, 4)
    restore_terminal(group)
    repeat(struct.unpack("i", answer)[0] if answer else init_status)


if __name__ == "__main__":
    main()
