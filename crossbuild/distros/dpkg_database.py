"""Reads the package database that dpkg keeps in a root (deb-control(5), dpkg's lib/dpkg/status)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from crossbuild.host import rooted
from crossbuild.model.root import Package

DATABASE = "var/lib/dpkg/status"
"""In a root."""


def installed_packages(root: Path) -> tuple[Package, ...]:
    """Return every package that is completely installed in *root*, sorted; empty without a database."""
    status = rooted.resolve(root, DATABASE)
    if not status.is_file():
        return ()
    stanzas = status.read_text(encoding="utf-8").split("\n\n")
    return tuple(sorted(package for stanza in stanzas for package in _package(stanza)))


def unfinished_packages(root: Path) -> tuple[str, ...]:
    """Return the packages that were begun and never came to an end, such as after a failed script."""
    status = rooted.resolve(root, DATABASE)
    stanzas = status.read_text(encoding="utf-8").split("\n\n") if status.is_file() else []
    states = (_fields(stanza) for stanza in stanzas if stanza.strip())
    return tuple(
        fields["Package"]
        for fields in states
        if not fields.get("Status", "").endswith((" installed", " not-installed", " config-files"))
    )


def owned_files(root: Path) -> dict[str, str]:
    """Return the package of each path that one brought into *root*, decoded as `os.fsdecode` does."""
    diversions = _diversions(root)
    owners: dict[str, str] = {}
    for listing in sorted(rooted.resolve(root, "/var/lib/dpkg/info").glob("*.list")):
        # Packages that may be there for several architectures have theirs behind a colon.
        name = listing.stem.partition(":")[0]
        for line in listing.read_bytes().splitlines():
            path = os.fsdecode(line)
            aside, diverter = diversions.get(path, (path, name))
            owners[path if diverter == name else aside] = name
    return owners


def _diversions(root: Path) -> dict[str, tuple[str, str]]:
    """Return where files lie that another package's stand in for, and which package that is.

    dpkg's file has three lines for each: the path, where it went, and the package, `:` for the administrator.
    """
    file = rooted.resolve(root, "/var/lib/dpkg/diversions")
    lines = [os.fsdecode(line) for line in file.read_bytes().splitlines()] if file.is_file() else []
    return {
        path: (aside, package)
        for path, aside, package in zip(lines[0::3], lines[1::3], lines[2::3], strict=False)
    }


def _package(stanza: str) -> Iterator[Package]:
    fields = _fields(stanza)
    if fields.get("Status", "").endswith(" ok installed"):
        yield Package(
            name=fields["Package"],
            version=fields["Version"],
            arch=fields["Architecture"],
            kind="deb",
            # The field counts in KiB.
            installed_size=int(fields.get("Installed-Size", "0")) * 1024,
            source=fields.get("Source", "").split(" ")[0],
        )


def _fields(stanza: str) -> dict[str, str]:
    lines = (line for line in stanza.splitlines() if line[:1] not in {" ", "\t"})
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
