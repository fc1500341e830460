"""What make must know of a build: which files decide the result, and when they were read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import crossbuild
from crossbuild.artifacts.record import NAME as RECORD
from crossbuild.config.site import site_file
from crossbuild.config.spec import files_of
from crossbuild.errors import StorageError
from crossbuild.formats.make_rule import make_rules
from crossbuild.model.site import Site

TICK = 10_000_000
"""Nanoseconds by which the kernel's time stamps of files may lag behind the clock (CONFIG_HZ=100)."""


def write_depfile(depfile: Path, targets: Mapping[Path, Path], site: Site, config: Path | None) -> None:
    """Write *depfile*, whole or not at all: the record of each set of *targets* depends on these files.

    *targets* has the folder of each set with its spec. Besides what the spec names, a set depends on the
    site's configuration and on crossbuild itself. Raises SpecError, StorageError or UsageError.
    """
    configuration = config or site_file()
    builder = (*([configuration] if configuration else []), Path(crossbuild.__file__))
    rules = (
        make_rules(folder / RECORD, (*files_of(spec, site), *builder)) for folder, spec in targets.items()
    )
    text = "\n".join(rules).encode(errors="surrogateescape")
    try:
        depfile.parent.mkdir(parents=True, exist_ok=True)
        _replace(depfile, text)
    except OSError as error:
        raise StorageError(f"Cannot write {depfile}.", details=str(error)) from error


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def date_record(folder: Path, read: int) -> None:
    """Give the record of the set in *folder* the time at which its files were read, in ns since 1970.

    What was edited while the build ran is newer then, also if the set was found unchanged and not touched.
    """
    when = read - TICK
    try:
        os.utime(folder / RECORD, ns=(when, when))
    except OSError as error:
        raise StorageError(f"Cannot date {folder / RECORD}.", details=str(error)) from error
