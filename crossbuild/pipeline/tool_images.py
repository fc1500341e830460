"""Images with the package manager of a family, for nodes that have Podman and not that: made here, once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from crossbuild.artifacts.compression import gzipped
from crossbuild.artifacts.storage import storing
from crossbuild.config.spec import spec_from
from crossbuild.distros import catalog
from crossbuild.distros.release import Family
from crossbuild.errors import BuildFailedError, HostNotReadyError
from crossbuild.host import archives
from crossbuild.host.docker_archive import docker_archive, plain_config, root_layer
from crossbuild.host.locks import NoticeSink, held
from crossbuild.jobs.contained import REPOSITORY, Needed, ToolsImage
from crossbuild.model.architecture import Architecture
from crossbuild.model.site import Site
from crossbuild.model.spec import ImageSpec, digest_of
from crossbuild.nodes.probe import FAMILIES

PACKAGES: Mapping[Family, tuple[str, ...]] = {
    Family.APT: ("mmdebstrap",),
    Family.DNF: ("dnf", "rpm", "gnupg"),
    Family.ZYPPER: ("zypper", "rpm", "gnupg"),
}
DISTRO, RELEASE = "debian", "12"
"""It has a Python that is new enough, and the package managers of all families."""
BESIDES = ("python3", "zstd")

MakeRoot = Callable[[ImageSpec, Site], Path]


def needed_for(spec: ImageSpec, site: Site, notice: NoticeSink, make_root: MakeRoot) -> Needed:
    """Return what a node must have, or be given, to make the root of *spec*."""
    family = catalog.lookup(spec.distro, spec.release).family
    return Needed(
        programs=FAMILIES[family],
        image=lambda: tools_image(family, spec.arch, site, notice, make_root),
        notice=notice,
    )


def tools_image(
    family: Family, arch: Architecture, site: Site, notice: NoticeSink, make_root: MakeRoot
) -> ToolsImage:
    """Return the image for *family* and *arch*, from the cache of *site* or made now by *make_root*.

    Raises BuildFailedError where this host cannot make it: then no node is to blame.
    """
    document: dict[str, object] = {
        "name": f"tools-{family}-{arch}",
        "distro": DISTRO,
        "release": RELEASE,
        "arch": str(arch),
        "kernel": False,
        "packages": [*BESIDES, *PACKAGES[family]],
    }
    # Sandboxes let programs write where a folder really is.
    folder = (site.cache / "tools").resolve()
    kind = f"{family}-{arch}-{digest_of(document)[:8]}"
    with held(folder / f".{kind}.lock"):
        for archive in folder.glob(f"{kind}-*.tar.gz"):
            return _named(archive)
        notice(f"Making the tools for containers on {arch} nodes, once.")
        try:
            return _made(document, kind, folder, site, make_root)
        except HostNotReadyError as error:
            raise BuildFailedError(
                "The tools for containers cannot be made.",
                details=f"{error.brief}\n{error.details}".strip(),
                resolution=f"{error.resolution}\nOr give nodes the tools themselves: `crossbuild node "
                "prepare` says how.".lstrip(),
            ) from error


def _made(
    document: dict[str, object], kind: str, folder: Path, site: Site, make_root: MakeRoot
) -> ToolsImage:
    spec = spec_from(document, Path("the tools for containers"), site)
    scratch = folder / f".{kind}"
    shutil.rmtree(scratch, ignore_errors=True)
    root = make_root(spec, replace(site, prefix=scratch))
    digest = hashlib.sha256()
    for block in archives.pax(root):
        digest.update(block)
    image = _named(folder / f"{kind}-{digest.hexdigest()[:16]}.tar.gz")
    blocks = docker_archive(
        [root_layer(root)], lambda layers: plain_config(spec.arch, layers, epoch=0), tag=image.name, epoch=0
    )
    part = scratch / "image"
    with storing(image.archive), part.open("wb") as file:
        file.writelines(gzipped(blocks))
    part.rename(image.archive)
    shutil.rmtree(scratch)
    return image


def _named(archive: Path) -> ToolsImage:
    return ToolsImage(name=f"{REPOSITORY}:{archive.name.removesuffix('.tar.gz')}", archive=archive)
