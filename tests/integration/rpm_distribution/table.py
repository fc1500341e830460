"""Which RPM packages are made from which Debian packages (packages.table), and how the rest is called."""

from __future__ import annotations

import enum
import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

TABLE = Path(__file__).with_name("packages.table")
NONE, SAME = "-", "="
ONLY, FILES = "Only:", "Files:"
LIBRARY_VERSION = re.compile(r"-?\d[\d.]*(v5)?$")


class Like(enum.StrEnum):
    """The distributions that are imitated."""

    EL = "el"
    SUSE = "suse"


@dataclass(frozen=True, kw_only=True)
class Row:
    """An RPM package and where its files come from."""

    name: str
    """Empty: these Debian packages are left out."""
    debs: tuple[str, ...]
    """Names, or patterns of names."""
    preamble: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Patterns of paths, relative to the root: nothing else of the Debian packages is taken."""
    files: tuple[str, ...] = ()
    """Further lines of its list of files."""

    def names(self, deb: str) -> bool:
        """Say whether *deb* is one of the Debian packages."""
        return any(fnmatch.fnmatch(deb, pattern) for pattern in self.debs)

    def takes(self, path: str) -> bool:
        """Say whether the package has *path* if its Debian packages have it."""
        return not self.only or any(fnmatch.fnmatch(path, pattern) for pattern in self.only)


def read_rows(like: Like, text: str) -> tuple[Row, ...]:
    """Return the rows of the table's *text* as one distribution has them."""
    rows: list[Row] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            rows[-1] = _with_preamble(rows[-1], line.strip(), like)
            continue
        el, suse, *debs = line.split()
        name = el if like is Like.EL or suse == SAME else suse
        rows.append(Row(name="" if name == NONE else name, debs=tuple(debs)))
    return tuple(rows)


def assign(rows: Iterable[Row], debs: Iterable[str], like: Like) -> tuple[Row, ...]:
    """Return the rows with the very *debs* that are there, and one for each of those that have none.

    Every file of a Debian package belongs to the first row that names the package and takes the file. Rows
    for what is left out have no name.
    """
    debs = sorted(debs)
    named = [replace(row, debs=tuple(deb for deb in debs if row.names(deb))) for row in rows]
    taken = {deb for row in named for deb in row.debs}
    rest = (Row(name=_automatic_name(deb, like), debs=(deb,)) for deb in debs if deb not in taken)
    return tuple(row for row in (*named, *rest) if row.debs)


def _with_preamble(row: Row, line: str, like: Like) -> Row:
    family, _, rest = line.partition(" ")
    if family in {f"{other}:" for other in Like}:
        if family != f"{like}:":
            return row
        line = rest.strip()
    if line.startswith(ONLY):
        return replace(row, only=tuple(line.removeprefix(ONLY).split()))
    if line.startswith(FILES):
        return replace(row, files=(*row.files, line.removeprefix(FILES).strip()))
    return replace(row, preamble=(*row.preamble, line))


def _automatic_name(deb: str, like: Like) -> str:
    """openSUSE names libraries as Debian does, by their soname; Enterprise Linux leaves its version out."""
    if like is Like.EL and deb.startswith("lib"):
        return LIBRARY_VERSION.sub("", deb)
    return deb
