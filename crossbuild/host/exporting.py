"""Exports the tree to nodes with the NFS server of this host, and takes the export back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from crossbuild.errors import HostNotReadyError, UsageError
from crossbuild.host import exports, ganesha, node_mounts
from crossbuild.host.changes import Change, MakeFolder, WriteFile, read_text
from crossbuild.host.changing import ChangeSink, Left, make, take_back
from crossbuild.host.command import find
from crossbuild.host.facts import inspect_place
from crossbuild.host.journal import Journal
from crossbuild.host.nfs_servers import ServerChoice, read_exports, read_table, reload_kernel
from crossbuild.host.requirements import EXPORTFS
from crossbuild.model.export import Address, NfsServer, SharedTree
from crossbuild.model.spec import MountSpec

NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "ceph", "9p", "afs", "fuse.sshfs",
     "fuse.glusterfs", "panfs", "pvfs2", "orangefs")
)  # fmt: skip
"""Types as in mountinfo (proc(5)) whose files another host keeps."""

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")


@dataclass(frozen=True, kw_only=True)
class ExportPlan:
    """What is to be written for one server, and what nodes need then."""

    choice: ServerChoice
    tree: Path
    file: Path
    content: str
    changes: tuple[Change, ...]
    mount: MountSpec
    include: str
    """The line that ganesha.conf lacks, empty where it lacks none."""


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    file: Path
    content: str
    nfs_version: int = 4
    include: str = ""


def plan_export(shared: SharedTree, address: Address, choice: ServerChoice, state: Path) -> ExportPlan:
    """Return how *choice* is to export *shared*, which nodes mount from *address* of this host.

    Raises UsageError or HostNotReadyError where the tree or what is there already forbids it.
    """
    _require_plain_local(shared.path)
    match choice.server:
        case NfsServer.KERNEL:
            wanted = _kernel_export(shared)
        case NfsServer.GANESHA:
            wanted = _ganesha_export(shared)
        case _:
            assert_never(choice.server)
    before = read_text(wanted.file)
    _refuse_foreign(wanted.file, before, state)
    return ExportPlan(
        choice=choice,
        tree=shared.path,
        file=wanted.file,
        content=wanted.content,
        changes=tuple(_changes(shared.path, wanted, before)),
        mount=node_mounts.mount_of(address, shared.path, version=wanted.nfs_version),
        include=wanted.include,
    )


def apply_export(plan: ExportPlan, state: Path, on_change: ChangeSink) -> None:
    """Make the changes of *plan*, each recorded below *state* first, and tell the kernel's server of them."""
    _require_root()
    if plan.changes:
        make(plan.changes, journal_of(state), on_change)
    if plan.choice.server is NfsServer.KERNEL:
        reload_kernel(plan.tree)


def undo_export(tree: Path, state: Path, on_change: ChangeSink) -> tuple[Left, ...]:
    """Take back what exporting *tree* changed; return what was left because somebody changed it since."""
    _require_root()
    recorded = (entry.change for entry in journal_of(state).entries())
    written = {change.path for change in recorded if isinstance(change, WriteFile)}
    left = take_back(journal_of(state), on_change)
    exported = {export.path for export in exports.parse(read_table(exports.ETAB))}
    # The second: an undo that was killed had only taken the file away.
    if find(EXPORTFS) and (exports.DROP_IN in written or f"{tree}" in exported):
        reload_kernel(tree)
    return left


def journal_of(state: Path) -> Journal:
    """Return the journal of exporting below *state*."""
    return Journal(state, "export")


def _kernel_export(shared: SharedTree) -> _Wanted:
    tables = read_exports()
    own = tables.pop(exports.DROP_IN, ())
    _refuse_exported(shared.path, ((table, export.path) for table in tables for export in tables[table]))
    now = exports.parse(read_table(exports.ETAB))
    others = [
        export
        for export in (*now, *(export for table in tables.values() for export in table))
        if export.path != f"{shared.path}"
    ]
    fsid = exports.free_fsid(
        frozenset[str]().union(*(export.fsids for export in others)),
        kept=next((value for export in own for value in export.fsids), ""),
    )
    version = 3 if exports.has_root(others) else 4
    return _Wanted(file=exports.DROP_IN, content=exports.render(shared, fsid), nfs_version=version)


def _ganesha_export(shared: SharedTree) -> _Wanted:
    reached, folders = _ganesha_files()
    file = next(iter(folders), ganesha.FOLDER) / ganesha.NAME
    included = file in reached or file.parent in folders
    others = {path: found for path, found in reached.items() if path != file}
    _refuse_exported(shared.path, ((path, name) for path, found in others.items() for name in found.paths))
    own = ganesha.parse(read_table(file)).ids
    used = frozenset[int]().union(*(found.ids for found in others.values()))
    content = ganesha.render(shared, ganesha.free_id(used, kept=next(iter(own), 0)))
    return _Wanted(file=file, content=content, include="" if included else ganesha.include_line(file))


def _ganesha_files() -> tuple[dict[Path, ganesha.Configuration], tuple[Path, ...]]:
    """Return every file that the server reads, and the folders of which it reads all files."""
    pending, reached = [ganesha.MAIN], dict[Path, ganesha.Configuration]()
    folders: list[Path] = []
    while pending:
        path = pending.pop()
        if path not in reached:
            reached[path] = found = ganesha.parse(read_table(path))
            folders += found.folders
            pending += [*found.files, *(file for folder in found.folders for file in _files_in(folder))]
    return reached, tuple(folders)


def _files_in(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.glob("*")) if path.is_file())


def _changes(tree: Path, wanted: _Wanted, before: str | None) -> Iterator[Change]:
    for path in _missing(tree):
        yield MakeFolder(path=path, mode=0o755, reason="Nodes mount it, or it holds what they mount.")
    if before == wanted.content:
        return
    for path in _missing(wanted.file.parent):
        yield MakeFolder(path=path, mode=0o755, reason="It holds the file.")
    reason = "The server reads it and lets nodes mount the tree."
    yield WriteFile(path=wanted.file, content=wanted.content, before=before, reason=reason)


def _missing(folder: Path) -> Iterator[Path]:
    return (path for path in (*reversed(folder.parents), folder) if not os.access(path, os.F_OK))


def _require_plain_local(tree: Path) -> None:
    if not _PLAIN_PATH.fullmatch(f"{tree}"):
        raise UsageError(
            f"The path {tree} cannot be exported.",
            details="exports(5), fstab(5), systemd and NFS-Ganesha each quote odd characters in another way.",
            resolution="Let `prefix` of the site hold only letters, digits and `/ . _ + @ -`.",
        )
    place = inspect_place(tree)
    if place.filesystem in NETWORK_FILE_SYSTEMS:
        raise HostNotReadyError(
            f"{tree} lies on a network file system ({place.filesystem}), which cannot be exported again.",
            details="It must be on a local disk, which also keeps file capabilities and locks of packages.",
            resolution="Set `prefix` of the site to a folder on a local disk, or mount one there.",
        )


def _refuse_foreign(file: Path, current: str | None, state: Path) -> None:
    """Raise HostNotReadyError if *file* holds what crossbuild did not write."""
    changes = (entry.change for entry in journal_of(state).entries())
    own = {change.content for change in changes if isinstance(change, WriteFile) and change.path == file}
    if current is not None and current not in own:
        raise HostNotReadyError(
            f"{file} is there already, with content that crossbuild did not write.",
            details=current.rstrip("\n"),
            resolution="Move the file away, then run the same command again.",
        )


def _refuse_exported(tree: Path, exported: Iterable[tuple[Path, str]]) -> None:
    for file, path in exported:
        if Path(path).resolve() == tree:
            raise HostNotReadyError(
                f"{file} exports {tree} already.",
                details="crossbuild never edits the files of others, and two exports of one folder disagree.",
                resolution="Take that export out of the file, then run the same command again.",
            )


def _require_root() -> None:
    if os.geteuid() != 0:
        raise HostNotReadyError(
            "Exporting changes files of this host and its NFS server, which only root may do.",
            resolution="Run it with sudo; `--dry-run` shows the changes without it.",
        )
