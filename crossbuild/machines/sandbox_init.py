"""The first program of a sandbox: it makes the namespaces and mounts, then starts the command.

It is a process of its own (`crossbuild.machines.sandbox.Sandbox.argv`) that imports as little as it can.
All mounts are made in a private mount namespace whose processes die with crossbuild, so that not even
`kill -9` leaves one behind. Two processes stay until the command ends: the outer one forwards signals, serves
the terminal and repeats the command's exit status exactly; the inner one is PID 1 of the sandbox and reaps
orphans.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypedDict

from crossbuild.host.mounts import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    bind,
    check,
    libc,
    mount,
    separate,
)
from crossbuild.machines import terminal
from crossbuild.machines.overlay import OverlaySpec, assembled
from crossbuild.machines.sandbox_mounts import (
    lend_resolver,
    mount_api,
    pivot,
    protect_host,
    return_resolver,
    show,
)

PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24

# What maintainer scripts need and no more: changing owners and ids, file capabilities, chroot, device
# nodes (which the root's `nodev` makes harmless). No mounting, no modules, no clock, no network set-up.
KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
CAP_MKNOD = 27
MAX_CAPABILITY = 63
ALL_CAPABILITIES = frozenset(range(MAX_CAPABILITY + 1))
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""Signals that reach crossbuild alone; those of the terminal reach the command by themselves."""
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
"""Others expect to be ended by them, such as what writes into `head`."""
CANNOT_START = 126
UMASK = 0o022
"""Whoever calls: modes in an image must not depend on it."""


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
    overlay: OverlaySpec | None
    terminal: bool
    handler: str
    directory: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """What runs in a sandbox."""

    argv: list[str]
    env: Mapping[str, str]
    """Its whole environment; no part of the specification, which other users can see in a process list."""


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
    separate(CLONE_NEWNS)
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
        flags = MS_RDONLY | MS_NOSUID | MS_NODEV if read_only else 0
        if spec["overlay"]:
            show(source, root, target, flags | MS_NODEV)
            continue
        if Path(source).is_dir():
            Path(target).mkdir(parents=True, exist_ok=True)
        bind(source, target, flags)
    if not spec["pivot"]:
        return None
    pivot(root)
    lent = lend_resolver(spec["resolv_conf"]) if spec["resolv_conf"] else None
    # Other runs of the same tree may have lent theirs at the same file.
    return None if spec["overlay"] else lent


def start(command: Command, spec: Spec, inner: int | None) -> int:
    """Fork and execute *command* as a child of PID 1, on the terminal *inner* if any; return its id."""
    child = os.fork()
    if child:
        return child
    for number in (*FORWARDED, *IGNORED_BY_PYTHON, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    os.umask(UMASK)
    # One that makes its own mounts makes a /dev, too: of mounts, as for ordinary users, not of nodes.
    keep_capabilities(KEPT_CAPABILITIES if spec["confined"] else ALL_CAPABILITIES - {CAP_MKNOD})
    try:
        if inner is not None:
            terminal.adopt(inner)
        os.chdir(spec["directory"])
        # What this host's programs have open is no part of the sandbox.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execvpe(command.argv[0], command.argv, dict(command.env))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        print(f"crossbuild: cannot start {command.argv[0]}: {error.strerror}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(127 if missing else CANNOT_START)


def pass_signals_on(process: int) -> None:
    """Let *process* have what is sent to this one, for as long as it lives."""

    def forward(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)

    for number in FORWARDED:
        signal.signal(number, forward)


def be_init(spec: Spec, command: Command, report: int, end: socket.socket | None) -> NoReturn:
    """Be PID 1: furnish the sandbox, run the command, reap, and write its wait status to *report*."""
    try:
        lent = furnish(spec)
        inner = terminal.offer(end) if end else None
    except OSError as error:
        fail(f"cannot make the sandbox: {error}")
    child = start(command, spec, inner)
    if inner is not None:
        os.close(inner)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    pass_signals_on(child)
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    return_resolver(lent)
    os.write(report, struct.pack("i", status))
    os._exit(0)


def supervise(spec: Spec, command: Command) -> int:
    """Start PID 1 of the sandbox, pass signals on to it, and return the wait status of the command."""
    group = foreground_group()
    ours, theirs = terminal.connection() if spec["terminal"] else (None, None)
    reading, writing = os.pipe()
    separate(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID)
    init = os.fork()
    if init == 0:
        os.close(reading)
        if ours:
            ours.close()
        # Inside the new PID namespace the parent's id reads as 0.
        die_with_parent(0)
        be_init(spec, command, writing, theirs)
    os.close(writing)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    pass_signals_on(init)
    if ours and theirs:
        theirs.close()
        if (outer := terminal.accept(ours)) is not None:
            terminal.serve(outer)
    _, init_status = os.waitpid(init, 0)
    answer = os.read(reading, 4)
    restore_terminal(group)
    return int(struct.unpack("i", answer)[0]) if answer else init_status


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


def fail(reason: str) -> NoReturn:
    """End because there is no sandbox."""
    print(f"crossbuild: {reason}", file=sys.stderr)
    sys.stderr.flush()
    os._exit(CANNOT_START)


def enter(spec: Spec, command: Command) -> NoReturn:
    """Make the sandbox, run *command* in it, and end this process as that ends."""
    die_with_parent(spec["parent"])
    # Whoever waits for another run here may be interrupted, without a word from Python.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    overlay = spec["overlay"]
    try:
        if spec["handler"]:
            # Seldom needed: it costs other sandboxes nothing.
            from crossbuild.machines.own_handler import take_own_handler  # noqa: PLC0415

            take_own_handler(spec["handler"])
        with assembled(overlay, spec["root"]) if overlay else contextlib.nullcontext():
            status = supervise(spec, command)
    except OSError as error:
        fail(f"cannot make the sandbox: {error}")
    repeat(status)


def main() -> NoReturn:
    """Make the sandbox that argv[1] describes and run argv[2:] in it."""
    enter(json.loads(sys.argv[1]), Command(argv=sys.argv[2:], env=os.environ))
