"""Receipts beside an artifact set: `receipts/PROVISIONER-NUMBER.json`, no part of the set's own digests."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from crossbuild.artifacts.record import NAME as RECORD
from crossbuild.artifacts.storage import storing
from crossbuild.errors import ArtifactError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import OutputKind
from crossbuild.model.receipt import ChangedValue, Receipt, ReceiptState, RegisteredObject

FOLDER = "receipts"
SCHEMA = 1

_NAME = re.compile(r"(?P<provisioner>[a-z0-9]+)-(?P<number>[0-9]+)\.json")


def receipts_of(directory: Path) -> tuple[tuple[Path, Receipt], ...]:
    """Return the receipts beside the set in *directory* with their files, the oldest of each kind first."""
    found = ((path, match) for path in _files(directory) if (match := _NAME.fullmatch(path.name)))
    ordered = sorted(found, key=lambda item: (item[1]["provisioner"], int(item[1]["number"])))
    return tuple((path, read_receipt(path)) for path, _ in ordered)


def next_receipt(directory: Path, provisioner: OutputKind) -> Path:
    """Return the file of the next receipt of *provisioner* beside the set in *directory*."""
    taken = (_NAME.fullmatch(path.name) for path in _files(directory))
    numbers = (int(match["number"]) for match in taken if match and match["provisioner"] == provisioner)
    return directory / FOLDER / f"{provisioner}-{max(numbers, default=0) + 1}.json"


def read_receipt(path: Path) -> Receipt:
    """Return the receipt in *path*; raise ArtifactError for what is none."""
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{path} is no receipt that this crossbuild can read.",
            details=f"{type(error).__name__}: {error}",
            resolution="Name a file of the folder `receipts` of an artifact set.",
        ) from error


def write_receipt(receipt: Receipt, path: Path) -> None:
    """Put *receipt* at *path* in one step; it is on disk when this returns. Raises StorageError."""
    scratch = path.with_name(f".{path.name}.new")
    text = json.dumps({"schema": SCHEMA, **dataclasses.asdict(receipt)}, indent=2)
    with storing(path):
        path.parent.mkdir(exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)


def copy_receipts(source: Path, target: Path) -> None:
    """Give the set in *target* the receipts of that in *source*, where there are any; raise StorageError."""
    if (source / FOLDER).is_dir():
        with storing(target / FOLDER):
            shutil.copytree(source / FOLDER, target / FOLDER)


def record_digest(directory: Path) -> str:
    """Return the SHA-256 of the record of the set in *directory*, which names every file of it."""
    with storing(directory / RECORD):
        return hashlib.sha256((directory / RECORD).read_bytes()).hexdigest()


def _files(directory: Path) -> list[Path]:
    folder = directory / FOLDER
    return list(folder.iterdir()) if folder.is_dir() else []


def _parsed(value: dict[str, Any]) -> Receipt:
    if value.pop("schema") != SCHEMA:
        raise ValueError("it is of a kind that this crossbuild does not know")
    objects = tuple(_object(item) for item in value.pop("objects"))
    changes = tuple(ChangedValue(**_texts(item)) for item in value.pop("changes"))
    provisioner, state = OutputKind(value.pop("provisioner")), ReceiptState(value.pop("state"))
    return Receipt(provisioner=provisioner, state=state, objects=objects, changes=changes, **_texts(value))


def _object(value: dict[str, Any]) -> RegisteredObject:
    arch, made = value.pop("arch"), value.pop("made") is True
    return RegisteredObject(arch=Architecture(arch) if arch else None, made=made, **_texts(value))


def _texts(value: dict[str, Any]) -> dict[str, str]:
    if odd := [key for key, item in value.items() if not isinstance(item, str)]:
        raise TypeError(f"no text: {', '.join(odd)}")
    return value
