"""What the kernel's NFS server exports: exports(5), read as nfs-utils reads it, and written."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossbuild.model.export import Grant, SharedTree

EXPORTS = Path("/etc/exports")
DROP_INS = Path("/etc/exports.d")
"""Files in it whose names end in `.exports` are read, too (exports(5), section Extra Export Tables)."""
DROP_IN = DROP_INS / "crossbuild.exports"
ETAB = Path("/var/lib/nfs/etab")
"""What is exported now, also by `exportfs` without a file, in the same syntax (exportfs(8))."""

HEADING = "# Written by `crossbuild builder export`; its option --undo takes it away.\n"
FIRST_FSID = 13
"""OpenHPC's install guides export /home as 10, /opt/ohpc/pub as 11 and /opt/arm as 12."""
EVERYBODY = "*"

_TOKEN = re.compile(r'(?:"[^"]*"|[^\s"])+')
_CLIENT = re.compile(r"(?P<name>[^()]*)(?:\((?P<options>.*)\))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who may mount an export, as exports(5) names him; a line's default options come before his own."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Export:
    """One line of exports(5)."""

    path: str
    clients: tuple[Client, ...]

    @property
    def fsids(self) -> frozenset[str]:
        """The values of `fsid=`; `root` is 0 by another name."""
        values = (
            option.removeprefix("fsid=")
            for client in self.clients
            for option in client.options
            if option.startswith("fsid=")
        )
        return frozenset("0" if value == "root" else value for value in values)


def parse(text: str) -> tuple[Export, ...]:
    """Return the exports of a file: quotes, octal escapes, continued lines and comments are understood."""
    lines = re.sub(r"\\\n[ \t]*", " ", text).split("\n")
    found = (_export([_unescaped(token) for token in _tokens(line)]) for line in lines)
    return tuple(export for export in found if export)


def render(tree: SharedTree, fsid: int) -> str:
    """Return the drop-in that exports *tree* under *fsid*."""
    lines = (f"    {grant.client}({','.join(_options(grant, fsid))})" for grant in tree.grants)
    return HEADING + " \\\n".join([f"{tree.path}", *lines]) + "\n"


def free_fsid(used: Collection[str], *, kept: str = "") -> int:
    """Return an fsid that is not among *used*: *kept* where possible, since file handles hold it."""
    if kept.isdecimal() and int(kept) and kept not in used:
        return int(kept)
    return next(number for number in itertools.count(FIRST_FSID) if str(number) not in used)


def has_root(exports: Iterable[Export]) -> bool:
    """Say whether one export is the root of NFSv4: then the paths of all others begin below it."""
    return any("0" in export.fsids for export in exports)


def _options(grant: Grant, fsid: int) -> tuple[str, ...]:
    return (
        "rw" if grant.write else "ro",
        "sync",
        "root_squash",  # also where it is the default: a reader sees that nobody is root here
        "no_subtree_check",  # it would break files that are renamed while nodes have them open
        f"fsid={fsid}",  # the tree may lie on a file system without a UUID of its own
    )


def _tokens(line: str) -> Iterator[str]:
    for match in _TOKEN.finditer(line):
        if match.group().startswith("#"):
            return
        yield match.group()


def _export(tokens: list[str]) -> Export | None:
    if not tokens:
        return None
    path, *rest = tokens
    clients: list[Client] = []
    defaults: tuple[str, ...] = ()
    for token in rest:
        if token.startswith("-"):
            defaults = _split(token[1:])
        elif match := _CLIENT.fullmatch(token):
            options = (*defaults, *_split(match["options"] or ""))
            clients.append(Client(name=match["name"] or EVERYBODY, options=options))
    everybody = Client(name=EVERYBODY, options=defaults)
    return Export(path=path, clients=tuple(clients) or (everybody,))


def _split(options: str) -> tuple[str, ...]:
    return tuple(option.strip() for option in options.split(",") if option.strip())


def _unescaped(token: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), token.replace('"', ""))
