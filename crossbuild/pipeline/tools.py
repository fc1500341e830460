"""Chooses whose dnf, zypper and rpm fill a root: this host's, or those of the root of tools of the site."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from crossbuild.distros import catalog
from crossbuild.distros.release import Family
from crossbuild.distros.rpm.managers import MANAGERS
from crossbuild.errors import HostNotReadyError
from crossbuild.host.facts import inspect_host
from crossbuild.host.programs import HostPrograms, Programs
from crossbuild.machines.named_roots import architecture_of
from crossbuild.machines.tools import ToolsRoot
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, RpmRepository


def choose_programs(spec: ImageSpec, site: Site) -> Programs:
    """Return the programs that install for *spec*; raise HostNotReadyError for useless tools."""
    host = HostPrograms()
    family = catalog.lookup(spec.distro, spec.release).family
    if family is Family.APT or site.tools is None:
        return host
    needed = (MANAGERS[family].program, "rpm")
    missing = [program for program in needed if not host.has(program)]
    if not missing:
        return host
    # What is shown must be there.
    site.cache.mkdir(parents=True, exist_ok=True)
    tools = ToolsRoot(
        root=site.tools,
        reason=f"{missing[0]} of {site.tools}, since this host has none",
        writable=(site.cache,),
        shown=_local_repositories(spec),
    )
    _require(tools, needed)
    return tools


def _require(tools: ToolsRoot, needed: tuple[str, ...]) -> None:
    arch = architecture_of(tools.root)
    missing = [program for program in needed if not tools.has(program)]
    if arch is not None and inspect_host().native(arch) and not missing:
        return
    said = f"It has no {missing[0]}." if missing else f"It is for {arch or 'no architecture that is known'}."
    raise HostNotReadyError(
        f"The root of tools {tools.root} cannot be used.",
        details=said,
        resolution="Make one as docs/how-to/hosts-without-dnf-or-zypper.md shows, or correct `tools` in the "
        "configuration.",
    )


def _local_repositories(spec: ImageSpec) -> tuple[Path, ...]:
    """Return the folders of this host that hold repositories of *spec*, for any architecture."""
    uris = (uri for one in spec.repositories if isinstance(one, RpmRepository) for uri in one.uris)
    local = (urlsplit(uri) for uri in uris)
    folders = (Path(one.path.partition("$")[0]) for one in local if one.scheme in {"file", "dir"})
    return tuple(sorted({folder for folder in folders if folder.is_dir() and folder != Path("/")}))
