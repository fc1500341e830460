"""What fills an image, as trees: of its folders, and of its packages."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from crossbuild.report.fields import Fields

_DEEPEST = 16
"""Folders above one another that are told apart; what lies deeper is told by the rest of its path."""


class Kind(enum.StrEnum):
    """What a part is; also the name of its class in the style sheet."""

    FOLDER = "folder"
    FILES = "files"
    """The files that lie in a folder itself."""
    PACKAGE = "package"
    UNOWNED = "unowned"
    """What no package brought."""
    REST = "rest"
    """Parts that are too small to be drawn one by one."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of an image, and what that consists of in falling order."""

    name: str
    title: str
    """Its full name: a path, or what it is in words."""
    size: int
    files: int
    kind: Kind
    parts: tuple[Part, ...] = ()


@dataclass
class _Folder:
    size: int = 0
    files: int = 0
    below: dict[str, _Folder] = field(default_factory=dict)


def folder_tree(contents: Fields) -> Part:
    """Return the folders of `contents.json` as one tree."""
    top = _Folder()
    for entry in contents.sections("folders"):
        folder = top
        for name in filter(None, entry.text("path").lstrip("/").split("/", _DEEPEST)):
            folder = folder.below.setdefault(name, _Folder())
        folder.size += entry.count("size")
        folder.files += entry.count("files")
    return _folder_part("", "", top)


def package_tree(contents: Fields, packages: Sequence[Fields]) -> Part:
    """Return all packages in one tree: measured, or as large as they say where nothing was measured."""
    if contents:
        measured = contents.sections("packages")
        found = [_package(entry, entry.count("size"), entry.count("files")) for entry in measured]
        found.append(_unowned(contents.section("unowned")))
    else:
        found = [_package(entry, entry.count("installed_size"), 0) for entry in packages]
    parts = _ordered(found)
    return Part(
        name="all packages",
        title="all packages",
        size=sum(part.size for part in parts),
        files=sum(part.files for part in parts),
        kind=Kind.PACKAGE,
        parts=parts,
    )


def _folder_part(name: str, path: str, folder: _Folder) -> Part:
    below = folder.below
    if name and len(below) == 1 and not folder.files:
        # A folder that holds nothing but another one says nothing of its own.
        ((only, inner),) = below.items()
        return _folder_part(f"{name}/{only}", f"{path}/{only}", inner)
    parts = [_folder_part(child, f"{path}/{child}", inner) for child, inner in below.items()]
    if parts and folder.files:
        parts.append(
            Part(
                name="files here",
                title=f"files in {path or '/'} itself, and in its smallest folders",
                size=folder.size,
                files=folder.files,
                kind=Kind.FILES,
            )
        )
    ordered = _ordered(parts)
    return Part(
        name=name or "/",
        title=path or "/",
        size=sum(part.size for part in ordered) if ordered else folder.size,
        files=sum(part.files for part in parts) if parts else folder.files,
        kind=Kind.FOLDER,
        parts=ordered,
    )


def _package(entry: Fields, size: int, files: int) -> Part:
    name = entry.text("name")
    return Part(name=name, title=name, size=size, files=files, kind=Kind.PACKAGE)


def _unowned(entry: Fields) -> Part:
    return Part(
        name="no package",
        title="made by scripts and configuration, not brought by a package",
        size=entry.count("size"),
        files=entry.count("files"),
        kind=Kind.UNOWNED,
    )


def _ordered(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return *parts* the largest first, without those that take no space."""
    return tuple(sorted((part for part in parts if part.size), key=lambda part: (-part.size, part.name)))
