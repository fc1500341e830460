"""Brings a twin into a build: made once for a set of package versions, shared, never part of the image."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

from crossbuild.acceleration.rules import APT
from crossbuild.acceleration.starts import Way, read_starts, tally
from crossbuild.distros import catalog
from crossbuild.distros.apt.session import AptSession
from crossbuild.errors import CrossbuildError
from crossbuild.host.interpreter import NAME
from crossbuild.host.locks import locked
from crossbuild.host.workspace import workspace
from crossbuild.machines.twin import make_twin
from crossbuild.model.architecture import Architecture
from crossbuild.model.host import HostFacts
from crossbuild.model.plan import ACCELERATE, COUNT, PinnedPackage, Plan
from crossbuild.model.site import Site
from crossbuild.model.spec import digest_of
from crossbuild.pipeline.narrator import Narrator

REBUILT = re.compile(r"\+b\d+$")
"""What Debian appends to a version when it only compiles a package again, on each architecture by itself."""
PERL_PACKAGE = re.compile(r"libperl\d.*|lib.+-perl")
KEPT = 6
"""How many twins stay in the cache."""
FORMAT = 3
"""Of a twin; another one makes those in the cache stale."""


def accelerate(plan: Plan, host: HostFacts, site: Site, work: Path, narrator: Narrator) -> None:
    """Put table, twin and counter into *work*/accelerate, where sandboxes find them.

    Where that is not possible, the reason is reported and everything runs in qemu, with the same result.
    """
    handler = host.handler_for(plan.spec.arch)
    if handler is None or not handler.interpreter.endswith(NAME):
        narrator.notice("Without acceleration: the handler is plain qemu; `crossbuild setup` changes that.")
        return
    try:
        target = work / ACCELERATE
        shutil.copytree(_twin(plan, site, narrator), target, symlinks=True, copy_function=_link)
        (target / COUNT).touch()
        # Programs of the root run under many ids; all may append to it.
        (target / COUNT).chmod(0o622)
    except CrossbuildError as error:
        narrator.notice(f"Without acceleration: {error.brief}")


def started(work: Path) -> list[dict[str, object]]:
    """Return how often each program ran, most often first, and in which way."""
    count = work / ACCELERATE / COUNT
    if not count.is_file():
        return []
    with count.open("rb") as file:
        found = tally(read_starts(file))
    return [
        {"program": path, "native": way is Way.NATIVE, "way": way.name.lower(), "starts": number}
        for (path, way), number in found.most_common()
    ]


def _twin(plan: Plan, site: Site, narrator: Narrator) -> Path:
    """Return the folder of the cache with `table` and `twin`, made now if it is not there."""
    native = Architecture.X86_64
    spec = replace(plan.spec, arch=native)
    session = AptSession(spec, catalog.lookup(spec.distro, spec.release), site.cache, narrator.notice)
    session.update()
    wanted = {
        package.name: package.version
        for package in (*plan.resolution.base, *plan.resolution.added)
        if package.name in APT or PERL_PACKAGE.fullmatch(package.name)
    }
    found = session.closure(sorted(wanted))
    skewed = _skewed(wanted, found)
    for name in skewed:
        narrator.notice(f"{name} runs in qemu: its version for {native} is not that of the image.")
    kept = tuple(package for package in found if package.name not in skewed)
    target = site.cache / "twins" / digest_of([FORMAT, kept])[:24]
    with locked(target, "the twin of these packages", narrator.notice):
        if not target.is_dir():
            with workspace(site.cache / "twins/.crossbuild", "twin") as folder:
                packages = session.unpack([package.name for package in kept], folder / "packages")
                make_twin(packages, folder / "made", native)
                (folder / "made").rename(target)
        os.utime(target)
    _prune(target.parent)
    return target


def _prune(folder: Path) -> None:
    """Keep the twins that were used last; running builds have names of their own for the files."""
    twins = [path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."]
    for twin in sorted(twins, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
        shutil.rmtree(twin, ignore_errors=True)


def _skewed(wanted: dict[str, str], found: tuple[PinnedPackage, ...]) -> tuple[str, ...]:
    return tuple(
        package.name
        for package in found
        if package.name in wanted
        and REBUILT.sub("", package.version) != REBUILT.sub("", wanted[package.name])
    )


def _link(source: str, target: str) -> None:
    """Give a file of the cache a second name, or copy it where that is another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
