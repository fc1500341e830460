"""What files need and provide, as rpm's own generator says; it is started for each package, not each file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crossbuild.formats.elf import MAGIC
from crossbuild.host.command import capture

GENERATOR = "/usr/lib/rpm/elfdeps"
LIBRARY = re.compile(r"\.so\b.*\(64bit\)$")
INTERPRETER = re.compile(rb"#! ?(/\S+)")
KNOWN = frozenset({"/bin/sh", "/bin/bash", "/usr/bin/perl", "/usr/bin/python3", "/usr/bin/tclsh"})
"""Interpreters that some package brings at that very name."""


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Of one package."""

    provides: tuple[str, ...]
    requires: tuple[str, ...]


def find_dependencies(root: Path, paths: Iterable[str]) -> Dependencies:
    """Return what *paths* below *root* provide and require; only executable files count, as in rpmbuild."""
    files = [root / path for path in paths]
    programs = [
        file for file in files if file.is_file() and not file.is_symlink() and file.stat().st_mode & 0o111
    ]
    heads = {file: _head(file) for file in programs}
    objects = [file for file, head in heads.items() if head.startswith(MAGIC)]
    scripts = {_interpreter(head) for head in heads.values()} & KNOWN
    return Dependencies(
        provides=_generate("--provides", objects),
        requires=tuple(sorted({*_generate("--requires", objects), *scripts})),
    )


def without_unknown(every: Mapping[str, Dependencies]) -> Mapping[str, Dependencies]:
    """Return *every* package's without the libraries that none of them has: Debian only recommends these."""
    provided = {name for found in every.values() for name in found.provides}
    return {
        package: replace(
            found,
            requires=tuple(name for name in found.requires if not LIBRARY.search(name) or name in provided),
        )
        for package, found in every.items()
    }


def _generate(what: str, objects: Sequence[Path]) -> tuple[str, ...]:
    if not objects:
        return ()
    said = capture([GENERATOR, what], stdin="".join(f"{file}\n" for file in objects)).stdout
    return tuple(sorted(set(said.splitlines())))


def _is_program(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and bool(file.stat().st_mode & 0o111)


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(128)


def _interpreter(head: bytes) -> str:
    match = INTERPRETER.match(head)
    return match[1].decode(errors="replace") if match else ""
