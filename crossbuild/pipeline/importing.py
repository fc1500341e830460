"""Roots and images that are there already as bases of specs: looked into before a build, unpacked in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from crossbuild.builders.unpacking import require_arch, tree_in, unpack
from crossbuild.distros import catalog
from crossbuild.distros.dpkg_database import DATABASE
from crossbuild.distros.release import DatabaseBackend, Family, RpmDatabase
from crossbuild.distros.rpm.steps import own_headers, taken_over
from crossbuild.errors import SpecError
from crossbuild.host import rooted
from crossbuild.host.command import capture
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.host.programs import Programs
from crossbuild.host.workspace import keep_newest, workspace
from crossbuild.machines.environment import environment_of_builds
from crossbuild.machines.sandbox import Sandbox, SandboxMachine
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, ImportedBase

KEPT = 6
"""How many databases of bases stay in the cache."""
FILES = ("status", "rpmdb.sqlite", "Packages.db", "Packages")
"""What dpkg and the backends of rpm call their databases (rpm, lib/backend)."""


def installed_in_base(spec: ImageSpec, site: Site, programs: Programs, notice: NoticeSink) -> Path | None:
    """Return a folder with the package database of the base of *spec*, at its place; None without a base.

    It is looked into once for each content. Raises ArtifactError for what is no root for the spec's
    architecture, SpecError for a root of another distribution, or without packages.
    """
    if spec.base is None:
        return None
    bases = site.cache / "bases"
    target = bases / f"{spec.base.digest[:24]}-{spec.distro}-{spec.release}"
    with locked(target, "the look into that base", notice):
        if not target.is_dir():
            with workspace(bases / ".crossbuild", "base") as folder:
                _look_into(spec.base, spec, folder, programs).rename(target)
    os.utime(target)
    keep_newest(bases, KEPT)
    return target


def importer(spec: ImageSpec) -> Callable[[Path], None]:
    """Return what makes a new folder the tree of the base of *spec*."""
    if spec.base is None:
        return _nothing_to_import
    return partial(_import, spec.base, spec)


def _import(base: ImportedBase, spec: ImageSpec, root: Path) -> None:
    unpack(Path(base.path), root, spec.arch)


def _nothing_to_import(root: Path) -> None:
    raise AssertionError(f"no base for {root}")


def _tree(base: ImportedBase, spec: ImageSpec, scratch: Path, *, changed: bool) -> Path:
    """Return the tree of *base*: as it stands where that is possible, unless it is going to be *changed*."""
    source = Path(base.path)
    if not changed and (tree := tree_in(source)) is not None:
        require_arch(tree, source, spec.arch)
        return tree
    unpack(source, scratch, spec.arch)
    return scratch


def _look_into(base: ImportedBase, spec: ImageSpec, folder: Path, programs: Programs) -> Path:
    """Return a new folder below *folder* with the database of *base* as *programs* read it."""
    release = catalog.lookup(spec.distro, spec.release)
    foreign = release.family is not Family.APT and release.rpm.database.backend is not DatabaseBackend.SQLITE
    tree = _tree(base, spec, folder / "tree", changed=foreign)
    _require_distribution(tree, spec)
    if release.family is Family.APT:
        place = PurePosixPath(DATABASE).parent
    else:
        place = PurePosixPath(release.rpm.database.path[1:])
    found = rooted.resolve(tree, place)
    if not any((found / name).is_file() for name in FILES):
        raise SpecError(
            "The base has no database of packages.",
            details=f"Nothing is in its /{place}.",
            resolution=f"Name a root that the package manager of {release.title} made.",
        )
    if foreign:
        _take_over(tree, release.rpm.database, programs)
    shutil.copytree(found, folder / "database" / place, ignore=shutil.ignore_patterns("info", "*-old"))
    return folder / "database"


def _take_over(tree: Path, database: RpmDatabase, programs: Programs) -> None:
    """Give *tree*, a copy, a database that the rpm of *programs* reads, of what its own rpm lists."""
    machine = SandboxMachine(
        sandbox=Sandbox(root=tree, pivot=True, network=False), env=environment_of_builds()
    )
    machine.run(own_headers(), on_line=lambda _: None)
    capture(programs.argv(taken_over(os.fspath(tree), database)))


def _require_distribution(tree: Path, spec: ImageSpec) -> None:
    said = rooted.os_release(tree)
    name, version = said.get("ID", "").lower(), said.get("VERSION_ID", "")
    if name == spec.distro and _major(version) == _major(spec.release):
        return
    raise SpecError(
        f"The base is no root of {spec.distro} {spec.release}.",
        details=f"Its os-release says {name or 'nothing'} {version}.".replace(" .", "."),
        resolution="Correct `distro`, `release` or `base` of the spec.",
    )


def _major(version: str) -> str:
    return re.split(r"\D", version, maxsplit=1)[0]
