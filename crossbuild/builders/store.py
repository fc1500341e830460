"""The records of builders: one JSON file each, replaced by rename, and the folders beside it."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossbuild.errors import CrossbuildError, StorageError, UsageError
from crossbuild.host.locks import held, is_held
from crossbuild.model.architecture import Architecture
from crossbuild.model.builder import Builder, Change, EngineKind, Origin, OriginKind, Snapshot, mount_of
from crossbuild.model.site import Site
from crossbuild.model.spec import is_name

DEFAULT = "default"
"""The builder that is meant where none is named."""
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading JSON raises that is none, or is not what was expected."""
REMOVING = ".removing."
REBUILDING = ".rebuilding"
"""Ends the name of what will take a builder's place; no builder of a user's ends so."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where one builder lies: below STATE/builders/NAME."""

    folder: Path

    @property
    def record(self) -> Path:
        """What is known about it; without this file there is no builder."""
        return self.folder / "builder.json"

    @property
    def accelerate(self) -> Path:
        """What its programs find at /run/crossbuild: `table`, `twin/`, and `count` where starts are recorded.

        A run or a container may have it mounted: what is in it is replaced, never the folder itself.
        """
        return self.folder / "accelerate"

    @property
    def tree(self) -> Path:
        """Its files, where the engine is crossbuild's own."""
        return self.folder / "tree"

    @property
    def open(self) -> Path:
        """One file for each run that may be in the middle of a change, locked for as long as it lives."""
        return self.folder / "open"

    def lock(self, what: str) -> Path:
        """Return the file whose lock (flock(2)) guards *what* of this builder."""
        return self.folder.with_name(f".{self.folder.name}.{what}.lock")


def places(site: Site, name: str) -> Places:
    """Return the places of the builder *name*, whether it exists or not; raise UsageError for a bad name."""
    if not is_name(name):
        raise UsageError(
            f"`{name}` cannot be the name of a builder.",
            resolution="Take letters, digits, `_`, `.` and `-`, at most 64, the first a letter or digit.",
        )
    return Places(folder=site.state / "builders" / name)


def rebuilding_name(name: str) -> str:
    """Return what that is called which will take the place of the builder *name*."""
    return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{REBUILDING}"


def builder_names(site: Site) -> tuple[str, ...]:
    """Return the names of all builders, sorted."""
    folder = site.state / "builders"
    if not folder.is_dir():
        return ()
    known = (path.parent.name for path in folder.glob("*/builder.json"))
    return tuple(sorted(name for name in known if is_name(name)))


def load(site: Site, name: str) -> Builder:
    """Return the builder *name*; raise UsageError, naming those that exist, where there is none."""
    place = places(site, name)
    try:
        text = place.record.read_text(encoding="utf-8")
    except FileNotFoundError:
        flag = "" if name == DEFAULT else f" {name}"
        raise UsageError(
            f"There is no builder `{name}`.",
            details=f"In {place.folder.parent}: {', '.join(builder_names(site)) or 'none'}.",
            resolution=f"`crossbuild builder create{flag}` makes it.",
        ) from None
    except OSError as error:
        raise CrossbuildError(f"Cannot read {place.record}.", details=str(error)) from error
    try:
        return parse(json.loads(text))
    except MALFORMED as error:
        raise CrossbuildError(
            f"The record of the builder `{name}` is damaged.",
            details=f"{place.record}: {error!r}",
            resolution=f"Remove it with `crossbuild builder remove {name}`, and make it again.",
        ) from error


def parse(value: Any) -> Builder:
    """Return the builder that `render` wrote; raise ValueError, KeyError or TypeError for anything else."""
    if not is_name(value["name"]):
        raise ValueError(f"{value['name']!r} is no name of a builder")
    return Builder(
        name=value["name"],
        engine=EngineKind(value["engine"]),
        reason=value["reason"],
        origin=_origin(value["origin"]),
        arch=Architecture(value["arch"]),
        mounts=tuple(mount_of(mount) for mount in value["mounts"]),
        changes=tuple(
            Change(argv=tuple(change["argv"]), status=change["status"]) for change in value["changes"]
        ),
        snapshots=tuple(Snapshot(**snapshot) for snapshot in value["snapshots"]),
        interrupted=value["interrupted"],
    )


def _origin(value: Any) -> Origin:
    return Origin(**{**value, "kind": OriginKind(value["kind"]), "packages": tuple(value["packages"])})


def render(builder: Builder) -> str:
    """Return the record of *builder*: JSON in ASCII, in which bytes that are not UTF-8 keep their place."""
    return json.dumps(dataclasses.asdict(builder), indent=2, default=os.fspath) + "\n"


def save(site: Site, builder: Builder) -> None:
    """Write the record of *builder*; raise StorageError where that is not possible."""
    record = places(site, builder.name).record
    scratch = record.with_suffix(".new")
    with storing(record):
        with scratch.open("w", encoding="ascii") as file:
            file.write(render(builder))
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(record)


def update(site: Site, name: str, change: Callable[[Builder], Builder]) -> Builder:
    """Replace the record by what *change* makes of it, while nobody else does; return the new one."""
    with held(places(site, name).lock("record")):
        builder = change(load(site, name))
        save(site, builder)
    return builder


def discard(site: Site, name: str) -> None:
    """Remove record and folder of the builder *name*; nothing of it is found once this began."""
    place = places(site, name)
    doomed = place.folder.with_name(f"{REMOVING}{name}")
    with storing(place.folder):
        shutil.rmtree(doomed, ignore_errors=True)
        if place.folder.exists():
            place.folder.rename(doomed)
            shutil.rmtree(doomed)


@contextmanager
def changing(site: Site, name: str) -> Iterator[None]:
    """Leave word for as long as the block runs: what is killed in it is found by `interrupted_runs`."""
    place = places(site, name)
    with storing(place.open):
        place.open.mkdir(exist_ok=True)
    mark = place.open / str(os.getpid())
    with held(mark):
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)


def interrupted_runs(site: Site, name: str) -> bool:
    """Say whether a run that may have changed packages was killed since this was asked last."""
    folder = places(site, name).open
    dead = [mark for mark in folder.iterdir() if not is_held(mark)] if folder.is_dir() else []
    for mark in dead:
        mark.unlink(missing_ok=True)
    return bool(dead)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Raise StorageError for an OSError of the block, which writes at *path*."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise StorageError(
            "The disk is full." if full else f"Cannot write {path}.",
            details=f"{error.filename or path}: {error.strerror}",
            resolution="Free some space and run it again." if full else "",
        ) from error
