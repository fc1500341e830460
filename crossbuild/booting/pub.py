"""The exported tree for a booted machine, from an NFS-Ganesha like that of `crossbuild builder export`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import ipaddress
import os
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crossbuild.booting.machine import ADDRESS
from crossbuild.errors import HostNotReadyError
from crossbuild.host import ganesha
from crossbuild.host.command import Companion, beside
from crossbuild.machines.sandbox_init import die_with_parent
from crossbuild.model.export import Grant, SharedTree

PORT = 2049
"""Of NFS 4, which is free in a network of its own."""
START_SECONDS = 60
LOOKED_AT = 5000
"""Entries of the tree among which a file to read is looked for."""
LARGEST = 1 << 24

CORE = """\
NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = "{recovery}"; }}
"""
"""ganesha-core-config(8): nothing in it needs a port mapper or outlives the server."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A file of the tree that the machine is to read; an empty *name* where there is none."""

    name: str
    sha256: str


def sample_of(tree: Path) -> Sample:
    """Return a file of *tree* that everybody may read."""
    seen = 0
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH and status.st_size < LARGEST:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                return Sample(name=str(path.relative_to(tree)), sha256=digest)
            seen += 1
        if seen > LOOKED_AT:
            break
    return Sample(name="", sha256="")


@contextlib.contextmanager
def exported(tree: Path, folder: Path) -> Iterator[None]:
    """Serve *tree* to the machine of this network; *folder* is scratch. Raises HostNotReadyError."""
    if not tree.is_dir():
        raise HostNotReadyError(
            "There is no exported tree yet.",
            details=f"{tree} does not exist.",
            resolution="Install something for nodes into a builder first, or leave --pub out.",
        )
    recovery = folder / "recovery"
    recovery.mkdir()
    grant = Grant(client=ipaddress.ip_address(ADDRESS), write=False)
    configuration = folder / "ganesha.conf"
    export = ganesha.render(SharedTree(path=tree, grants=(grant,)), 1)
    configuration.write_text(CORE.format(recovery=recovery, port=PORT) + export, encoding="utf-8")
    log = folder / "ganesha.log"
    argv = [
        "ganesha.nfsd",
        "-F",  # in the foreground
        "-f", os.fspath(configuration),
        "-L", os.fspath(log),
        "-p", os.fspath(folder / "ganesha.pid"),
    ]  # fmt: skip
    dying = functools.partial(die_with_parent, os.getpid())
    with beside(argv, before_exec=dying) as server:
        _wait_for(server, log)
        yield


def _wait_for(server: Companion, log: Path) -> None:
    began = time.monotonic()
    while time.monotonic() - began < START_SECONDS and server.ended() is None:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", PORT)):
            return
        time.sleep(0.1)
    raise HostNotReadyError(
        "The NFS server does not serve.",
        details="\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else "",
        resolution="Install NFS-Ganesha with its VFS module, and run this as root of the host.",
    )
