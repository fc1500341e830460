"""Named roots: made by a build, kept until removed, entered for a command or a prompt."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossbuild.errors import ArtifactError, UsageError
from crossbuild.formats.elf import HEADER_SIZE, DamagedElfError, read_header
from crossbuild.host import rooted
from crossbuild.host.locks import NoticeSink, locked
from crossbuild.machines.environment import environment_inside
from crossbuild.machines.sandbox import Sandbox, SandboxMachine
from crossbuild.model.architecture import Architecture
from crossbuild.model.site import Site

SHELLS = ("/bin/bash", "/bin/sh")
REMOVING = ".removing"


@dataclass(frozen=True, kw_only=True)
class NamedRoot:
    """A root below the site's folder of roots."""

    name: str
    path: Path
    arch: Architecture | None
    """What its shell is made for; None where there is none that crossbuild knows."""
    title: str
    """What its os-release(5) calls itself."""


def list_roots(site: Site) -> tuple[NamedRoot, ...]:
    """Return every root of this site, sorted by name."""
    if not site.roots.is_dir():
        return ()
    folders = (path for path in sorted(site.roots.iterdir()) if path.is_dir() and path.name[0] != ".")
    return tuple(_describe(path) for path in folders if (path / "usr").is_dir())


def find_root(site: Site, name: str) -> NamedRoot:
    """Return the root of that name; raise UsageError naming those that exist."""
    known = {found.name: found for found in list_roots(site)}
    if name not in known:
        raise UsageError(
            f"There is no root `{name}`.",
            details=f"In {site.roots}: {', '.join(known) or 'none'}.",
            resolution="`crossbuild root create` makes one.",
        )
    return known[name]


def enter(named: NamedRoot, argv: Sequence[str]) -> int:
    """Run *argv* in the root on this process's own streams; return its status, minus a signal's number.

    Without *argv*, that is an interactive shell. Raises ArtifactError for a root without a shell.
    """
    if named.arch is None:
        raise ArtifactError(
            f"{named.path} is no root that crossbuild can enter.",
            details="Its /bin/sh is missing, or made for another architecture.",
            resolution=f"Remove it with `crossbuild root remove {named.name}`, or move it elsewhere.",
        )
    sandbox = Sandbox(root=named.path, pivot=True, hostname=str(named.arch))
    machine = SandboxMachine(sandbox=sandbox, env=environment_inside())
    return machine.attach(argv or [_shell(named.path)])


def remove_root(site: Site, name: str, notice: NoticeSink) -> None:
    """Remove the root of that name, waiting for whoever builds it."""
    named = find_root(site, name)
    with locked(named.path, f"the root `{name}`", notice):
        # Out of the way in one step: a removal that is killed leaves no half root under the name.
        doomed = named.path.with_name(f"{REMOVING}.{name}")
        shutil.rmtree(doomed, ignore_errors=True)
        named.path.rename(doomed)
        shutil.rmtree(doomed)


def _shell(root: Path) -> str:
    return next((shell for shell in SHELLS if rooted.resolve(root, shell).is_file()), SHELLS[-1])


def _describe(path: Path) -> NamedRoot:
    return NamedRoot(name=path.name, path=path, arch=architecture_of(path), title=_title(path))


def architecture_of(path: Path) -> Architecture | None:
    """Return what the root's shell is made for: read from the file, whatever anybody calls the root."""
    shell = rooted.resolve(path, "/bin/sh")
    if not shell.is_file():
        return None
    try:
        with shell.open("rb") as file:
            header = read_header(file.read(HEADER_SIZE))
    except DamagedElfError:
        return None
    return next((arch for arch in Architecture if header and header.is_for(arch)), None)


def _title(path: Path) -> str:
    release = rooted.resolve(path, "/etc/os-release")
    lines = release.read_text(encoding="utf-8").splitlines() if release.is_file() else []
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return fields.get("PRETTY_NAME", "unknown").strip('"')
