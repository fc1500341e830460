"""Everything that a page tells, read from an artifact set and what was kept beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.artifacts.contents import NAME as CONTENTS
from crossbuild.artifacts.receipts import receipts_of, record_digest
from crossbuild.artifacts.store import load_set, verify_set
from crossbuild.errors import ArtifactError
from crossbuild.model.artifact import Artifact, ArtifactSet, OutputKind
from crossbuild.report.bars import Chart, phases_chart
from crossbuild.report.boots import Boot, boots_of
from crossbuild.report.fields import Fields, objects, read_json
from crossbuild.report.parts import folder_tree, package_tree
from crossbuild.report.programs import Work, work_of
from crossbuild.report.remarks import remarks_of
from crossbuild.report.treemap import Map, maps_of, share_text
from crossbuild.wording import moment_text, size_text


@dataclass(frozen=True, kw_only=True)
class PackageRow:
    """One package of the image."""

    name: str
    version: str
    arch: str
    size: int
    share: str
    width: float
    """Percent of the largest one's size."""


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """One file of the set, and what is wrong with it."""

    path: str
    size: str
    sha256: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class LargeFile:
    """One of the largest files of the image."""

    path: str
    package: str
    size: str
    share: str
    width: float


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """One registration."""

    file: str
    state: str
    name: str
    place: str
    registered: str
    current: bool
    """Whether it was this build that was registered, not an earlier one."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What fills the image."""

    measured: bool
    """Whether the build measured it; else sizes are what packages say of themselves."""
    size: str
    """Of all packages where nothing was measured; empty where nothing is known."""
    files: int
    packages: tuple[Map, ...]
    folders: tuple[Map, ...]
    largest: tuple[LargeFile, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """All of it."""

    name: str
    directory: Path
    digest: str
    """SHA-256 of `image.json`, which names every file of the set."""
    record: Fields
    phases: Chart | None
    work: Work | None
    filling: Filling
    remarks: tuple[str, ...]
    """What verification had to say of the image that it let pass."""
    boots: Mapping[OutputKind, Boot | None]
    packages: tuple[PackageRow, ...]
    receipts: tuple[ReceiptRow, ...]
    receipts_problem: str
    """Why receipts cannot be read, empty where they can."""
    files: tuple[FileRow, ...]
    read: bool
    """Whether the bytes of the files were read, not only their sizes looked at."""

    @property
    def damaged(self) -> int:
        """How many files are not as they were built."""
        return sum(bool(file.problem) for file in self.files)


def read_report(directory: Path, *, verify: bool = False) -> Report:
    """Return what there is to tell of the set in *directory*; raise ArtifactError for what is no set.

    Whatever else is missing or damaged is left out. *verify* reads every file of the set.
    """
    found, digest = load_set(directory), record_digest(directory)
    timeline = Fields(read_json(directory / "timeline.json"))
    contents = Fields(read_json(directory / CONTENTS))
    packages = objects(read_json(directory / "packages.json"))
    receipts, receipts_problem = _receipts(directory, digest)
    return Report(
        name=found.name,
        directory=directory,
        digest=digest,
        record=Fields(found.record),
        phases=phases_chart(timeline),
        work=work_of(timeline),
        filling=_filling(contents, packages),
        remarks=remarks_of(directory),
        boots=boots_of(found, digest),
        packages=_packages(packages, contents),
        receipts=receipts,
        receipts_problem=receipts_problem,
        files=_files(found, verify=verify),
        read=verify,
    )


def _filling(contents: Fields, packages: Sequence[Fields]) -> Filling:
    by_package, by_folder = package_tree(contents, packages), folder_tree(contents)
    whole = contents.count("size") or by_package.size
    large = contents.sections("largest")
    most = max((file.amount("size") for file in large), default=0)
    return Filling(
        measured=bool(contents),
        size=size_text(whole) if whole else "",
        files=contents.count("files"),
        packages=maps_of(by_package, "by-package") if by_package.size else (),
        folders=maps_of(by_folder, "by-folder") if by_folder.size else (),
        largest=tuple(
            LargeFile(
                path=file.text("path"),
                package=file.text("package"),
                size=size_text(file.count("size")),
                share=share_text(file.amount("size"), whole),
                width=100 * file.amount("size") / most if most else 0.0,
            )
            for file in large
        ),
    )


def _packages(packages: Sequence[Fields], contents: Fields) -> tuple[PackageRow, ...]:
    measured = {entry.text("name"): entry.count("size") for entry in contents.sections("packages")}
    sizes = [
        (entry, measured.get(entry.text("name"), 0) if contents else entry.count("installed_size"))
        for entry in packages
    ]
    most = max((size for _, size in sizes), default=0)
    whole = contents.count("size") or sum(size for _, size in sizes)
    return tuple(
        PackageRow(
            name=entry.text("name"),
            version=entry.text("version"),
            arch=entry.text("arch"),
            size=size,
            share=share_text(size, whole),
            width=100 * size / most if most else 0.0,
        )
        for entry, size in sorted(sizes, key=lambda item: (-item[1], item[0].text("name")))
    )


def _receipts(directory: Path, digest: str) -> tuple[tuple[ReceiptRow, ...], str]:
    try:
        found = receipts_of(directory)
    except ArtifactError as error:
        return (), f"{error.brief} {error.details}"
    rows = (
        ReceiptRow(
            file=path.name,
            state=receipt.state,
            name=receipt.name,
            place=receipt.place,
            registered=moment_text(receipt.registered),
            current=receipt.record == digest,
        )
        for path, receipt in found
    )
    return tuple(rows), ""


def _files(found: ArtifactSet, *, verify: bool) -> tuple[FileRow, ...]:
    problems = (
        {finding.path: f"{finding.problem}: {finding.details}" for finding in verify_set(found)}
        if verify
        else {}
    )
    rows = [
        FileRow(
            path=str(artifact.path),
            size=size_text(artifact.digests.size),
            sha256=artifact.digests.sha256,
            problem=problems.pop(artifact.path, "") or _wrong_size(found.directory, artifact),
        )
        for artifact in found.artifacts
    ]
    extra = (FileRow(path=str(path), size="-", sha256="", problem=why) for path, why in problems.items())
    return (*rows, *extra)


def _wrong_size(directory: Path, artifact: Artifact) -> str:
    try:
        size = (directory / artifact.path).stat().st_size
    except OSError as error:
        return f"missing: {error.strerror}"
    if size == artifact.digests.size:
        return ""
    return f"damaged: it has {size:,} bytes, not {artifact.digests.size:,}"
