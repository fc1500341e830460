"""What NFS-Ganesha exports: as much of ganesha-config(8) and ganesha-export-config(8) as is needed here."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from crossbuild.host.exports import FIRST_FSID
from crossbuild.model.export import Grant, SharedTree

FOLDER = Path("/etc/ganesha")
MAIN = FOLDER / "ganesha.conf"
NAME = "crossbuild.conf"
RELOAD = "systemctl reload nfs-ganesha"
"""It sends SIGHUP, which lets the server read all EXPORT blocks again (ganesha-export-config(8))."""

HEADING = "# Written by `crossbuild builder export`; its option --undo takes it away.\n"

_COMMENT = re.compile(r"#.*")
_DIRECTIVE = re.compile(r"""^\s*%(include|dir)\s+["']?([^"'\s]+)""", re.MULTILINE | re.IGNORECASE)
_ID = re.compile(r"\bExport_Id\s*=\s*(0x[0-9a-f]+|\d+)", re.IGNORECASE)
_PATH = re.compile(r"""\bPath\s*=\s*["']?([^"';\n]+)""", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What matters of one file: ids and paths of its EXPORT blocks, and what it includes."""

    ids: frozenset[int]
    paths: frozenset[str]
    files: tuple[Path, ...] = ()
    """What `%include` names; a relative name is taken from FOLDER."""
    folders: tuple[Path, ...] = ()
    """What `%dir` names: every file in it is read."""


def parse(text: str) -> Configuration:
    """Return what matters of a configuration file."""
    plain = _COMMENT.sub("", text)
    directives = [(kind.lower(), FOLDER / name) for kind, name in _DIRECTIVE.findall(plain)]
    return Configuration(
        ids=frozenset(_number(value) for value in _ID.findall(plain)),
        paths=frozenset(path.strip() for path in _PATH.findall(plain)),
        files=tuple(path for kind, path in directives if kind == "include"),
        folders=tuple(path for kind, path in directives if kind == "dir"),
    )


def render(tree: SharedTree, export_id: int) -> str:
    """Return the configuration file that exports *tree* as *export_id*."""
    return HEADING + "\n".join(
        [
            "EXPORT {",
            f"    Export_Id = {export_id};",
            f'    Path = "{tree.path}";',
            f'    Pseudo = "{tree.path}";  # one path for NFS 3 and 4',
            "    Protocols = 3, 4;",
            "    Transports = TCP;",
            "    SecType = sys;",
            "    Access_Type = None;  # for all that no CLIENT block names",
            "    Squash = root_squash;",
            "    FSAL { Name = VFS; }",
            *(_client(grant) for grant in tree.grants),
            "}",
            "",
        ]
    )


def include_line(file: Path) -> str:
    """Return the line of ganesha.conf that makes the server read *file*."""
    return f'%include "{file}"'


def free_id(used: Collection[int], *, kept: int = 0) -> int:
    """Return an export id that is not among *used*, *kept* where possible."""
    if kept and kept not in used:
        return kept
    return next(number for number in itertools.count(FIRST_FSID) if number not in used)


def _client(grant: Grant) -> str:
    access = "RW" if grant.write else "RO"
    return f"    CLIENT {{ Clients = {grant.client}; Access_Type = {access}; Squash = root_squash; }}"


def _number(text: str) -> int:
    """Read an integer as ANSI C does, which is how the server reads it."""
    base = 16 if text.lower().startswith("0x") else 8 if text.startswith("0") else 10
    return int(text, base)
