"""Artifact sets on disk: read, checked, and compared."""

from __future__ import annotations

import enum
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crossbuild.artifacts.boots import FOLDER as BOOTS
from crossbuild.artifacts.receipts import FOLDER as RECEIPTS
from crossbuild.artifacts.record import NAME, SCHEMA
from crossbuild.errors import ArtifactError
from crossbuild.host.digests import file_digests
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import Artifact, ArtifactSet, Digests

UNLISTED = frozenset({NAME, "timeline.json", "build.log", "report.html"})
"""Files of a set that its record does not list: the record itself, and what tells of one build.

Receipts and records of boots, which are added later, are not listed either."""


class Problem(enum.StrEnum):
    """What can be wrong with a file of a set."""

    MISSING = "missing"
    DAMAGED = "damaged"
    EXTRA = "extra"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A file that is not as the record says."""

    path: PurePosixPath
    problem: Problem
    details: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something in which two sets differ; one side is empty where it does not exist there."""

    subject: str
    """`file PATH`, `package NAME`, or `record KEY`."""
    before: str
    after: str


def load_set(directory: Path) -> ArtifactSet:
    """Read the record of the set in *directory*; raise ArtifactError for what is no set or a newer one."""
    try:
        record = json.loads((directory / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{directory} holds no artifact set.",
            details=f"There is no {NAME} in it.",
            resolution="Name the folder that `crossbuild build` wrote, such as out/NAME.",
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(directory, str(error)) from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        found = record.get("schema") if isinstance(record, dict) else None
        raise ArtifactError(
            f"{directory / NAME} is of a kind that this crossbuild does not know.",
            details=f"It says schema {found!r}; this crossbuild knows {SCHEMA}.",
            resolution="Use the crossbuild that built it or a newer one, or build the set again.",
        )
    try:
        return _parsed(directory, record)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(directory, f"{type(error).__name__}: {error}") from error


def verify_set(artifacts: ArtifactSet) -> tuple[Finding, ...]:
    """Read every file of the set once and return what is missing, damaged or not listed."""
    listed = {artifact.path for artifact in artifacts.artifacts}
    extra = sorted(path for path in _files(artifacts.directory) if path not in listed)
    return (
        *(finding for artifact in artifacts.artifacts for finding in _check(artifacts.directory, artifact)),
        *(Finding(path=path, problem=Problem.EXTRA, details=f"{NAME} does not list it") for path in extra),
    )


def diff_sets(before: ArtifactSet, after: ArtifactSet) -> tuple[Difference, ...]:
    """Return in what two sets differ: files, packages, and the record except for its `build` section."""
    return (
        *_compare("file", _checksums(before), _checksums(after)),
        *_compare("package", _packages(before), _packages(after)),
        *_compare("record", _fields(before), _fields(after)),
    )


def _parsed(directory: Path, record: dict[str, object]) -> ArtifactSet:
    files = record["files"]
    if not isinstance(files, list) or not isinstance(record["name"], str):
        raise TypeError("`files` is no list, or `name` no text")
    return ArtifactSet(
        directory=directory,
        name=record["name"],
        arch=Architecture(str(record["arch"])),
        record=record,
        artifacts=tuple(_artifact(file) for file in files),
    )


def _artifact(file: dict[str, object]) -> Artifact:
    path = PurePosixPath(str(file["path"]))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"`{path}` leads out of the set")
    digests = Digests(size=int(str(file["size"])), sha256=str(file["sha256"]), md5=str(file["md5"]))
    return Artifact(path=path, digests=digests)


def _damaged(directory: Path, details: str) -> ArtifactError:
    return ArtifactError(
        f"{directory / NAME} is damaged.",
        details=details,
        resolution="Build the set again, or fetch it again from where it came.",
    )


def _check(directory: Path, artifact: Artifact) -> Iterator[Finding]:
    path = directory / artifact.path
    if not path.is_file():
        yield Finding(path=artifact.path, problem=Problem.MISSING, details="there is no such file")
        return
    try:
        size = path.stat().st_size
        if size != artifact.digests.size:
            details = f"it has {size} bytes, not {artifact.digests.size}"
        elif file_digests(path) != artifact.digests:
            details = "its content is not what was built"
        else:
            return
    except OSError as error:
        details = str(error)
    yield Finding(path=artifact.path, problem=Problem.DAMAGED, details=details)


def _files(directory: Path) -> Iterator[PurePosixPath]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = PurePosixPath(Path(folder, name).relative_to(directory))
            if str(path) not in UNLISTED and path.parts[0] not in {RECEIPTS, BOOTS}:
                yield path


def _compare(kind: str, before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield Difference(subject=f"{kind} {key}", before=old, after=new)


def _checksums(artifacts: ArtifactSet) -> dict[str, str]:
    return {str(artifact.path): f"sha256:{artifact.digests.sha256}" for artifact in artifacts.artifacts}


def _packages(artifacts: ArtifactSet) -> dict[str, str]:
    """Return the versions by name and architecture; empty for a set whose list of packages is gone."""
    try:
        packages = json.loads((artifacts.directory / "packages.json").read_text(encoding="utf-8"))
        versions: dict[str, list[str]] = {}
        for package in packages:
            versions.setdefault(f"{package['name']}:{package['arch']}", []).append(str(package["version"]))
        # Some packages, kernels of rpm distributions above all, may be there in several versions.
        return {name: ", ".join(sorted(found)) for name, found in versions.items()}
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{artifacts.directory / 'packages.json'} cannot be read.",
            details=str(error),
            resolution=f"Run `crossbuild artifacts verify {artifacts.directory}`.",
        ) from error


def _fields(artifacts: ArtifactSet) -> dict[str, str]:
    compared = artifacts.record.keys() - {"build", "files"}
    return {key: json.dumps(artifacts.record[key], sort_keys=True) for key in compared}
