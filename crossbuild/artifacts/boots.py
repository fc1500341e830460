"""Records of boots beside an artifact set: `boot/WAY.json` and its console, no part of the set's digests."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

from crossbuild.artifacts.storage import storing
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import OutputKind
from crossbuild.model.boot import BootCheck, BootRecord, CheckResult, Stage, StageReached, Verdict

FOLDER = "boot"


def read_boot(directory: Path, way: OutputKind) -> BootRecord | None:
    """Return how the set in *directory* was last booted in that *way*, None if never; raise ArtifactError."""
    path = directory / FOLDER / f"{way}.json"
    if not path.is_file():
        return None
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{path} is no record of a boot that this crossbuild can read.",
            details=f"{type(error).__name__}: {error}",
            resolution=f"Boot the set again: crossbuild boot {directory}",
        ) from error


def write_boot(record: BootRecord, console: Path, directory: Path) -> Path:
    """Put *record* and the *console* beside the set in *directory*; return its file. Raises StorageError."""
    folder = directory / FOLDER
    path = folder / f"{record.way}.json"
    scratch = path.with_name(f".{path.name}.new")
    log = scratch.with_suffix(".log")
    with storing(path):
        folder.mkdir(exist_ok=True)
        shutil.copyfile(console, log)
        with scratch.open("w", encoding="utf-8") as file:
            file.write(f"{json.dumps(dataclasses.asdict(record), indent=2)}\n")
            file.flush()
            os.fsync(file.fileno())
        log.replace(folder / record.console)
        scratch.replace(path)
    return path


def _parsed(value: dict[str, Any]) -> BootRecord:
    stages = tuple(
        StageReached(stage=Stage(item["stage"]), seconds=float(item["seconds"]))
        for item in value.pop("stages")
    )
    checks = tuple(
        BootCheck(check=item["check"], result=CheckResult(item["result"]), found=item["found"])
        for item in value.pop("checks")
    )
    return BootRecord(
        way=OutputKind(value.pop("way")),
        verdict=Verdict(value.pop("verdict")),
        stages=stages,
        checks=checks,
        lines=tuple(value.pop("lines")),
        **value,
    )
