"""What of an artifact set IMS gets, checked before the service sees any of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ArtifactError
from crossbuild.formats.kernel_image import HEAD_SIZE, recognise
from crossbuild.model.artifact import ArtifactSet, Digests
from crossbuild.model.ims import LINK_TYPE, MANIFEST_VERSION, ROOTFS_TYPE, TYPES, created_text
from crossbuild.registrars.ims.images import Link

FOLDER = "ims"
NEEDED = ("rootfs", "kernel", "initrd")
"""Without these, BOS starts nothing; IMS itself would take an image without the last two."""
LARGEST_MANIFEST = (1 << 20) - 1
"""Bytes: IMS and BOS refuse larger ones."""
MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A file of a set for IMS."""

    name: str
    """Also its key below the image's id."""
    source: Path
    digests: Digests


def files_of(artifacts: ArtifactSet) -> tuple[ImageFile, ...]:
    """Return the files of the set for IMS; raise ArtifactError for what is missing or no longer as it was.

    What takes a full read is seen while the files are sent.
    """
    listed = {str(artifact.path): artifact.digests for artifact in artifacts.artifacts}
    files = tuple(
        ImageFile(name=name, source=artifacts.directory / FOLDER / name, digests=listed[f"{FOLDER}/{name}"])
        for name in TYPES
        if f"{FOLDER}/{name}" in listed
    )
    missing = [name for name in NEEDED if f"{FOLDER}/{name}" not in listed]
    if missing:
        raise ArtifactError(
            f"The set in {artifacts.directory} is not for IMS.",
            details=f"Its record lists no {', '.join(f'{FOLDER}/{name}' for name in missing)}.",
            resolution="Build it with `ims` among its `outputs`.",
        )
    faults = [fault for file in files for fault in _faults(file)]
    if faults:
        raise ArtifactError(
            f"The set in {artifacts.directory} is damaged.",
            details="\n".join(faults),
            resolution="Build the set again, or fetch it again from where it came.",
        )
    _refuse_foreign_kernel(artifacts)
    return files


def created(artifacts: ArtifactSet) -> str:
    """Return when the image was made, the same for every registration of the set."""
    epoch = artifacts.record.get("source_date_epoch")
    return created_text(epoch if isinstance(epoch, int) else 0)


def manifest_of(moment: str, files: Sequence[ImageFile], links: Mapping[str, Link]) -> dict[str, object]:
    """Return the manifest of an image that was made at *moment* and whose files S3 holds at *links*."""
    return {
        "version": MANIFEST_VERSION,
        "created": moment,
        "artifacts": [
            {"type": TYPES[file.name], "md5": file.digests.md5, "link": links[file.name].body}
            for file in files
        ],
    }


def encoded(manifest: object, prefix: str) -> bytes:
    """Return *manifest* as it is stored; raise ArtifactError for what IMS or BOS would not take.

    *prefix* is the URL below which everything of the image lies. IMS stores a link to nearly anything.
    """
    content = json.dumps(manifest, indent=2).encode("utf-8") + b"\n"
    faults = tuple(manifest_faults(manifest, prefix))
    if len(content) > LARGEST_MANIFEST:
        faults = (*faults, f"it has {len(content)} bytes, and at most {LARGEST_MANIFEST} are read")
    if faults:
        raise ArtifactError(
            "The manifest of the image would not be valid.",
            details="\n".join(faults),
            resolution="Build the set again; if that does not help, report it to the project.",
        )
    return content


def manifest_faults(manifest: object, prefix: str) -> Iterator[str]:
    """Yield what is wrong with *manifest*, by the rules of IMS and the stricter ones of BOS."""
    if not isinstance(manifest, dict):
        yield "it is no mapping"
        return
    if manifest.get("version") != MANIFEST_VERSION:
        yield f"version: it is {manifest.get('version')!r}, not {MANIFEST_VERSION!r}"
    entries = manifest.get("artifacts")
    if not isinstance(entries, list):
        yield "artifacts: it is no list"
        return
    for number, entry in enumerate(entries):
        for fault in _entry_faults(entry, prefix):
            yield f"artifacts[{number}]{fault}"
    types = [entry.get("type") for entry in entries if isinstance(entry, dict)]
    for name, kind in TYPES.items():
        if types.count(kind) > 1 or (name in NEEDED and kind not in types):
            yield f"artifacts: {kind} is there {types.count(kind)} times, not once"


def checksums(manifest: object) -> dict[str, str]:
    """Return the md5 sums that *manifest* tells, by type; empty for what is no manifest."""
    entries = manifest.get("artifacts") if isinstance(manifest, dict) else None
    found = entries if isinstance(entries, list) else []
    return {str(entry.get("type")): str(entry.get("md5")) for entry in found if isinstance(entry, dict)}


def expected_checksums(files: Sequence[ImageFile]) -> dict[str, str]:
    """Return the md5 sums that the manifest of *files* tells, by type."""
    return {TYPES[file.name]: file.digests.md5 for file in files}


def _entry_faults(entry: object, prefix: str) -> Iterator[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("link"), dict):
        yield ": it has no link"
        return
    if entry.get("type") not in TYPES.values():
        yield f".type: {entry.get('type')!r} is none of IMS; a root is {ROOTFS_TYPE}"
    # Without it, an image that was deleted and had back has lost its root.
    if not MD5.fullmatch(str(entry.get("md5"))):
        yield f".md5: {entry.get('md5')!r} is no md5 sum"
    link = entry["link"]
    if link.get("type") != LINK_TYPE:
        yield f".link.type: it is {link.get('type')!r}, not {LINK_TYPE!r}"
    # BOS reads the image's id from the first part of the key.
    if not str(link.get("path", "")).startswith(prefix) or len(str(link["path"])) == len(prefix):
        yield f".link.path: {link.get('path')!r} is not below {prefix}"
    if not link.get("etag"):
        yield ".link.etag: there is none"


def _faults(file: ImageFile) -> Iterator[str]:
    try:
        size = file.source.stat().st_size
    except OSError as error:
        yield f"{FOLDER}/{file.name}: {error.strerror}"
        return
    if size != file.digests.size:
        yield f"{FOLDER}/{file.name}: it has {size} bytes, not {file.digests.size}"
    if not MD5.fullmatch(file.digests.md5):
        yield f"{FOLDER}/{file.name}: the record has no md5 sum of it"


def _refuse_foreign_kernel(artifacts: ArtifactSet) -> None:
    """Nobody behind us looks: BOS believes the record, and the node stays dark."""
    path = artifacts.directory / FOLDER / "kernel"
    with path.open("rb") as file:
        found = recognise(file.read(HEAD_SIZE))
    if found.arch is not artifacts.arch:
        raise ArtifactError(
            f"{path} is for {found.arch}, and the set says {artifacts.arch}.",
            details=found.evidence,
            resolution="Build the set again.",
        )
