"""Everything that dnf, zypper and rpm read of a build, and nothing that this host has for itself."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossbuild.distros.release import Release
from crossbuild.distros.rpm.macros import write_macros
from crossbuild.distros.rpm.repositories import CACHE, dnf_main, repo_file, zypp_main
from crossbuild.model.spec import ImageSpec, RpmRepository

STUBS = "bin"
"""Below the cache: programs that scriptlets find in front of the root's, where an image has a kernel."""
NOTHING = "#!/bin/sh\n# The initramfs is made once, when all is in place.\nexit 0\n"


def write_settings(
    place: Path,
    spec: ImageSpec,
    release: Release,
    repositories: Sequence[RpmRepository],
    keys: Mapping[str, str],
    host: Path,
) -> None:
    """Write the settings of both package managers and of rpm below *place*.

    *keys* has those of each repository, armoured; in *host* is the rpm that will install.
    """
    for name in ("repos.d", "keys"):
        (place / name).mkdir(parents=True, exist_ok=True)
    sections = []
    for repository in repositories:
        trusted = place / "keys" / f"{repository.id}.asc"
        trusted.write_text(keys.get(repository.id, ""), encoding="ascii")
        sections.append(repo_file(repository, str(trusted)))
        (place / "repos.d" / f"{repository.id}.repo").write_text(sections[-1], encoding="utf-8")
    main = dnf_main(release.rpm.platform)
    (place / "dnf.conf").write_text("\n".join([main, *sections]), encoding="utf-8")
    (place / "zypp.conf").write_text(zypp_main(spec.arch), encoding="utf-8")
    shutil.rmtree(place / "macros", ignore_errors=True)
    stubs = f"{CACHE}/{STUBS}" if spec.kernel else ""
    write_macros(release.rpm.database, host, place / "macros", path=stubs)


def write_stubs(cache: Path) -> None:
    """Put into *cache*, which the root shows at CACHE, the programs that do nothing."""
    stub = cache / STUBS / "dracut"
    stub.parent.mkdir()
    stub.write_text(NOTHING, encoding="ascii")
    stub.chmod(0o755)
