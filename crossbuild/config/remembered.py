"""Remembers what a configuration file said, so that `crossbuild run` need not load what checks such files.

Checking takes longer than all else that a short run does. What is remembered counts for exactly the same
bytes, version and user; it lies in the user's own cache folder and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossbuild import __version__
from crossbuild.model.builder import EngineKind, mount_of
from crossbuild.model.ims import ImsAccess
from crossbuild.model.offload import Fallback, OffloadDefaults, SlurmDefaults
from crossbuild.model.site import BuilderDefaults, RecipeDefaults, Site
from crossbuild.model.spec import AptRepository, Repository, RpmRepository

FORMAT = 4
"""Of what is remembered; another one makes it stale."""
WRITABLE_BY_OTHERS = 0o022
KEPT = 16
"""How many are remembered: a user may work with several files in turn."""


def key_of(content: bytes, circumstances: Sequence[object]) -> str:
    """Return a name for what the file *content* says under *circumstances*."""
    digest = hashlib.sha256(repr((FORMAT, __version__, *circumstances)).encode("utf-8", "surrogateescape"))
    digest.update(content)
    return digest.hexdigest()


def recall(key: str) -> Site | None:
    """Return what was remembered under *key*; None where that is nothing, or nothing that can be trusted."""
    try:
        with _place(key).open(encoding="ascii") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & WRITABLE_BY_OTHERS:
                return None
            return _parse(json.load(file))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(key: str, site: Site) -> None:
    """Remember *site* under *key*, where that is possible."""
    place = _place(key)
    scratch = place.with_name(f"{place.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(place.parent)
        scratch.touch(mode=0o600)
        scratch.write_text(json.dumps(dataclasses.asdict(site), default=os.fspath), encoding="ascii")
        scratch.rename(place)


def _forget_old(folder: Path) -> None:
    """Leave room for one more: those that were remembered longest ago go first."""
    newest = sorted(folder.glob("site-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for former in newest[KEPT - 1 :]:
        former.unlink(missing_ok=True)


def _place(key: str) -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "crossbuild" / f"site-{key}.json"


def _parse(value: dict[str, Any]) -> Site:
    fields = {field.name for field in dataclasses.fields(Site)}
    if set(value) != fields:
        raise ValueError("another version's")
    paths = {name: _path(value[name]) for name in ("state", "prefix", "qemu", "tools")}
    pairs = {name: tuple((key, text) for key, text in value[name]) for name in ("variables", "mirrors")}
    repositories = tuple(
        (name, tuple(_repository(stanza) for stanza in stanzas)) for name, stanzas in value["repositories"]
    )
    own = {
        "repositories": repositories,
        "builders": _builders(value["builders"]),
        "ims": value["ims"] and _ims(value["ims"]),
        "offload": _offload(value["offload"]),
        "slurm": _slurm(value["slurm"]),
    }
    return Site(**{**value, **paths, **pairs, **own})


def _repository(stanza: dict[str, Any]) -> Repository:
    kind = RpmRepository if "id" in stanza else AptRepository
    return kind(**{key: _frozen(item) for key, item in stanza.items()})


def _builders(value: dict[str, Any]) -> BuilderDefaults:
    recipes = tuple(
        (name, RecipeDefaults(**{**recipe, "repositories": _path(recipe["repositories"])}))
        for name, recipe in value["recipes"]
    )
    engine = value["engine"] and EngineKind(value["engine"])
    mounts = tuple(mount_of(mount) for mount in value["mounts"])
    return BuilderDefaults(**{**value, "engine": engine, "mounts": mounts, "recipes": recipes})


def _ims(value: dict[str, Any]) -> ImsAccess:
    files = ("client_secret_file", "ca_bundle", "s3_credentials_file")
    return ImsAccess(**{**value, **{name: _path(value[name]) for name in files}})


def _offload(value: dict[str, Any]) -> OffloadDefaults:
    return OffloadDefaults(**{**value, "fallback": Fallback(value["fallback"])})


def _slurm(value: dict[str, Any]) -> SlurmDefaults:
    return SlurmDefaults(**{**value, "folder": _path(value["folder"]), "options": tuple(value["options"])})


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _frozen(item: Any) -> Any:
    return tuple(item) if isinstance(item, list) else item
