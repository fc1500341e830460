"""The archive of a recipe, checked by what the first steps of an IMS job refuse."""

from __future__ import annotations

import gzip
import io
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from crossbuild.errors import UsageError

DESCRIPTION = "config.xml"
TEMPLATES = ".ims_recipe_template.yaml"
LARGEST = 64 << 20
"""Bytes; recipes are text."""


def archive_of(source: Path, *, templated: bool) -> bytes:
    """Return the archive of the recipe in *source*, a folder or an archive; raise UsageError for no recipe.

    *templated* says whether there are values for its template files. A folder gives the same bytes each time.
    """
    try:
        body = _packed(source) if source.is_dir() else source.read_bytes()
        members = dict(_members(body))
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UsageError(
            f"{source} is no recipe.",
            details=str(error),
            resolution="Name the folder of a kiwi-ng description, or a gzipped tar archive of its files.",
        ) from error
    if DESCRIPTION not in members:
        raise _not_a_recipe(source, f"It has no {DESCRIPTION} at its top.")
    _refuse_unreachable(source, members[DESCRIPTION])
    if templated != (TEMPLATES in members):
        needs = f"It has no {TEMPLATES}, so that no value is filled in."
        lacks = f"Its {TEMPLATES} wants values; give them with `--value`."
        raise _not_a_recipe(source, needs if templated else lacks)
    return body


def _packed(folder: Path) -> bytes:
    """Return a gzipped archive of all that is in *folder*, its files at the top."""
    target = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder), recursive=False, filter=_anonymous)
    return target.getvalue()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 0
    return entry


def _members(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the names of the archive, with the content of its description."""
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        for entry in archive:
            path = PurePosixPath(entry.name)
            if path.is_absolute() or ".." in path.parts:
                # IMS unpacks without looking.
                raise tarfile.TarError(f"{entry.name} leads out of the archive")
            file = archive.extractfile(entry) if str(path) == DESCRIPTION and entry.size <= LARGEST else None
            yield str(path), file.read() if file else b""


def _refuse_unreachable(source: Path, description: bytes) -> None:
    """Refuse what the job's step wait-for-repos would fail, minutes later and with nothing but `error`."""
    try:
        root = ET.fromstring(description)  # noqa: S314 - the user's own file, and no part of it is trusted
    except ET.ParseError as error:
        raise _not_a_recipe(source, f"{DESCRIPTION} is no XML: {error}") from error
    paths = [found.get("path", "") for found in root.iterfind("repository/source")]
    if not any(path.startswith(("http://", "https://")) or "{{" in path for path in paths):
        raise _not_a_recipe(source, "It names no http or https repository, and jobs of IMS wait for one.")


def _not_a_recipe(source: Path, details: str) -> UsageError:
    return UsageError(
        f"IMS could not build from {source}.",
        details=details,
        resolution="Correct the recipe; see the documentation of kiwi-ng and of IMS.",
    )
