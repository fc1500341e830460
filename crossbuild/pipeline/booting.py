"""From an artifact set to records of how it boots, one for each provisioner that it is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossbuild.artifacts.boots import write_boot
from crossbuild.artifacts.receipts import record_digest
from crossbuild.artifacts.store import load_set, verify_set
from crossbuild.booting import testing
from crossbuild.booting.attempt import Attempt, attempt
from crossbuild.booting.machine import find_emulator
from crossbuild.errors import ArtifactError, UsageError
from crossbuild.host.locks import locked
from crossbuild.host.workspace import workspace
from crossbuild.machines.sandbox import require_root
from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.boot import BootRecord, BootWish, Expected, StageReached
from crossbuild.model.site import Site
from crossbuild.model.spec import CheckFile


@dataclass(frozen=True, kw_only=True)
class BootHearer:
    """What the front end wants to hear; every function returns at once."""

    notice: Callable[[str], None]
    on_way: Callable[[OutputKind], None]
    on_stage: Callable[[StageReached], None]


def boot(
    directory: Path, wanted: Sequence[OutputKind], wish: BootWish, site: Site, hearer: BootHearer
) -> tuple[BootRecord, ...]:
    """Start the set in *directory* in each of the *wanted* ways, by default in all that it has files for.

    Each record is put beside the set, and returned. What was started has ended when this returns or raises.
    Raises ArtifactError for a damaged set, HostNotReadyError, UsageError, StorageError.
    """
    require_root()
    emulator = find_emulator()
    with locked(directory.absolute(), f"`{directory.name}`", hearer.notice):
        artifacts = load_set(directory)
        ways = _ways(artifacts, wanted)
        _require_whole(artifacts)
        expected = expected_of(artifacts)
        if expected.tests:
            testing.require_testinfra()
        records = []
        for way in ways:
            hearer.on_way(way)
            with workspace(site.work, f"boot-{artifacts.name}") as folder:
                log = folder / "console.log"
                record = attempt(
                    Attempt(
                        artifacts=artifacts,
                        expected=expected,
                        way=way,
                        wish=wish,
                        emulator=emulator,
                        exported=site.exported,
                        folder=folder,
                        log=log,
                        on_stage=hearer.on_stage,
                    )
                )
                record = replace(record, image_digest=record_digest(directory))
                write_boot(record, log, directory)
                records.append(record)
        return tuple(records)


def expected_of(artifacts: ArtifactSet) -> Expected:
    """Return what the record of *artifacts* says that a node must show; what it does not tell is left out."""
    record: Any = artifacts.record
    kernel, checks = record.get("kernel") or {}, record.get("checks") or {}
    return Expected(
        architecture=artifacts.arch.value,
        kernel=str(kernel.get("version") or ""),
        services=tuple(record.get("services") or ()),
        capabilities=tuple(
            (entry["path"], bytes.fromhex(entry["value"])) for entry in record.get("capabilities") or ()
        ),
        accounts=tuple(
            (entry["name"], entry["uid"], entry["gid"], entry["group"])
            for entry in record.get("accounts") or ()
        ),
        commands=tuple(checks.get("commands") or ()),
        tests=tuple(CheckFile(**entry) for entry in checks.get("tests") or ()),
    )


def _ways(artifacts: ArtifactSet, wanted: Sequence[OutputKind]) -> tuple[OutputKind, ...]:
    there = [kind for kind in OutputKind if any(file.path.parts[0] == kind for file in artifacts.artifacts)]
    missing = [kind for kind in wanted if kind not in there]
    if missing or not there:
        lacking = missing[0] if missing else "any provisioner"
        raise UsageError(
            f"The set in {artifacts.directory} has nothing for {lacking}.",
            details=f"It has files for {', '.join(there) or 'none'}.",
            resolution="Build it with that provisioner among its `outputs`.",
        )
    return tuple(dict.fromkeys(wanted)) or tuple(there)


def _require_whole(artifacts: ArtifactSet) -> None:
    if findings := verify_set(artifacts):
        raise ArtifactError(
            f"The artifact set in {artifacts.directory} is damaged, and is not booted.",
            details="\n".join(f"{item.path} is {item.problem}: {item.details}" for item in findings),
            resolution="Build the set again, or fetch it again from where it came.",
        )
