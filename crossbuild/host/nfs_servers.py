"""The NFS servers of this host: which is there, which runs, and how the kernel's hears of a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from crossbuild.errors import CommandFailedError, HostNotReadyError
from crossbuild.host import exports
from crossbuild.host.command import capture, find
from crossbuild.host.requirements import (
    EXPORTFS,
    GANESHA,
    family_of,
    install_command,
    package_for,
    read_os_release,
)
from crossbuild.model.export import NfsServer

START_KERNEL = "systemctl enable --now nfs-server"


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """What there is of each server."""

    installed: frozenset[NfsServer]
    running: frozenset[NfsServer]


@dataclass(frozen=True, kw_only=True)
class ServerChoice:
    """The server that shall export the tree, and why this one."""

    server: NfsServer
    reason: str
    runs: bool


def inspect_servers(proc: Path = Path("/proc")) -> ServerFacts:
    """Look for both servers; *proc* is where proc(5) is mounted."""
    programs = {NfsServer.KERNEL: EXPORTFS, NfsServer.GANESHA: GANESHA}
    installed = frozenset(server for server, program in programs.items() if find(program))
    return ServerFacts(installed=installed, running=frozenset(_running(proc)))


def choose_server(facts: ServerFacts, wanted: NfsServer | None) -> ServerChoice:
    """Return the server *wanted*, else the one that runs, else one that is installed, the kernel's first.

    Raises HostNotReadyError where it is not installed.
    """
    if wanted:
        return _choice(wanted, facts, "it was asked for")
    for server in NfsServer:
        if server in facts.running & facts.installed:
            return _choice(server, facts, "it runs on this host")
    for server in NfsServer:
        if server in facts.installed:
            return _choice(server, facts, "it is installed on this host")
    return _choice(NfsServer.KERNEL, facts, "it is the usual one")


def read_exports() -> dict[Path, tuple[exports.Export, ...]]:
    """Return what each table of exports(5) on this host says."""
    tables = (exports.EXPORTS, *sorted(exports.DROP_INS.glob("[!.]*.exports")))
    texts = ((table, read_table(table)) for table in tables)
    return {table: exports.parse(text) for table, text in texts if text}


def read_table(path: Path) -> str:
    """Return what *path* holds, empty where it is missing; raise HostNotReadyError if it is unreadable."""
    try:
        return path.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise HostNotReadyError(
            f"Cannot read {path}, which says what is exported.", details=f"{error.strerror}."
        ) from error


def reload_kernel(tree: Path) -> None:
    """Let the kernel's server export what the tables say of *tree*; what has no table stays as it is.

    Raises HostNotReadyError where the server refuses.
    """
    program = find(EXPORTFS) or EXPORTFS
    exported = exports.parse(read_table(exports.ETAB))
    try:
        for arguments in reload_arguments(tree, exported, read_exports()):
            capture([program, *arguments])
    except CommandFailedError as error:
        raise HostNotReadyError(
            "The kernel's NFS server did not take the changed exports.",
            details=error.details,
            resolution="Mend what is named there, then run the same command again.",
        ) from error


def reload_arguments(
    tree: Path,
    exported: tuple[exports.Export, ...],
    tables: Mapping[Path, tuple[exports.Export, ...]],
) -> Iterator[tuple[str, ...]]:
    """Yield the arguments of each call of exportfs(8) after which *exported* agrees with *tables* on *tree*.

    `-r` ends every export that stands in no table, such as those of a cluster manager.
    """
    written = [export for table in tables.values() for export in table]
    known = {f"{tree}", *(export.path for export in written)}
    if all(export.path in known for export in exported):
        yield ("-ra",)
        return
    for name in sorted(_clients(tree, exported) - _clients(tree, written)):
        # Brackets keep the colons of IPv6 apart (exportfs(8)).
        yield ("-u", f"[{name}]:{tree}" if ":" in name else f"{name}:{tree}")
    yield ("-a",)


def _clients(tree: Path, found: tuple[exports.Export, ...] | list[exports.Export]) -> set[str]:
    return {client.name for export in found if export.path == f"{tree}" for client in export.clients}


def _running(proc: Path) -> Iterator[NfsServer]:
    # The number of the server's threads (nfsd(7)); absent where the kernel has no server.
    if read_table(proc / "fs/nfsd/threads").strip() not in ("", "0"):
        yield NfsServer.KERNEL
    if any(_name(process) == GANESHA for process in proc.glob("[0-9]*")):
        yield NfsServer.GANESHA


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""  # it ended meanwhile


def _choice(server: NfsServer, facts: ServerFacts, reason: str) -> ServerChoice:
    if server not in facts.installed:
        raise _not_installed(server)
    return ServerChoice(server=server, reason=reason, runs=server in facts.running)


def _not_installed(server: NfsServer) -> HostNotReadyError:
    match server:
        case NfsServer.KERNEL:
            name, program = "The kernel's NFS server", EXPORTFS
        case NfsServer.GANESHA:
            name, program = "NFS-Ganesha", GANESHA
        case _:
            assert_never(server)
    family = family_of(read_os_release())
    package = package_for(program, family)
    command = install_command(family, tuple(package.split()))
    return HostNotReadyError(
        f"{name} is not installed on this host.",
        details=f"`{program}` was not found.",
        resolution=f"Run `{command}`." if command else f"Install the package that brings `{program}`.",
    )
