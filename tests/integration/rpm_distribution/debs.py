"""Debian's packages: fetched and unpacked by crossbuild's own session, with what they depend on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crossbuild.distros import catalog
from crossbuild.distros.apt.session import AptSession
from crossbuild.host.command import capture
from crossbuild.model.architecture import Architecture
from tests.unit.specs import make_spec

FORMAT = "${Version}\\n${Pre-Depends}\\n${Depends}\\n"


@dataclass(frozen=True, kw_only=True)
class Deb:
    """A Debian package."""

    name: str
    version: str
    depends: tuple[tuple[str, ...], ...]
    """Of each dependency the alternatives, names only."""


def fetch(names: Iterable[str], arch: Architecture, cache: Path, folder: Path) -> tuple[Deb, ...]:
    """Unpack *names* and all that they depend on, each into a folder of its own below *folder*."""
    session = AptSession(make_spec(arch=arch), catalog.lookup("debian", "12"), cache, _silent)
    session.update()
    closure = session.closure([name.replace("*", arch.debian) for name in names])
    session.unpack([package.name for package in closure], folder)
    versions = {package.name: package.version for package in closure}
    archives = sorted((folder / "archives").glob("*.deb"))
    return tuple(_read(archive) for archive in archives if archive.name.split("_")[0] in versions)


def parse_depends(field: str) -> tuple[tuple[str, ...], ...]:
    """Return of each dependency in a field of a control file the alternatives, without versions."""
    clauses = (clause for clause in field.split(",") if clause.strip())
    return tuple(tuple(_bare(name) for name in clause.split("|")) for clause in clauses)


def rpm_version(version: str) -> tuple[str, str]:
    """Return version and release of an RPM package for that of a Debian package; epochs are left out."""
    upstream, _, revision = version.rpartition(":")[2].rpartition("-")
    if not upstream:
        upstream, revision = revision, "0"
    return upstream.replace("-", "."), revision


def _read(archive: Path) -> Deb:
    version, before, depends = capture(
        ["dpkg-deb", "--show", f"--showformat={FORMAT}", str(archive)]
    ).stdout.split("\n")[:3]
    return Deb(
        name=archive.name.split("_")[0],
        version=version,
        depends=(*parse_depends(before), *parse_depends(depends)),
    )


def _bare(name: str) -> str:
    return re.split(r"[\s(:\[]", name.strip())[0]


def _silent(_notice: str) -> None:
    pass
