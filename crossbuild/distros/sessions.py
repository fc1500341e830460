"""A session for every family of package managers."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from crossbuild.distros import catalog
from crossbuild.distros.apt.session import AptSession
from crossbuild.distros.release import Family
from crossbuild.distros.rpm.session import RpmSession
from crossbuild.distros.session import Session
from crossbuild.host.locks import NoticeSink
from crossbuild.host.programs import Programs
from crossbuild.model.spec import ImageSpec


def open_session(
    spec: ImageSpec, cache: Path, notice: NoticeSink, programs: Programs, installed: Path | None = None
) -> Session:
    """Return the session of *spec*, with indexes and packages in *cache*; *notice* hears of waiting.

    *programs* has the package manager, but for apt, which is the host's own. *installed* is a folder with the
    package database of the spec's base, at its place; none: an empty root.
    """
    release = catalog.lookup(spec.distro, spec.release)
    match release.family:
        case Family.APT:
            return AptSession(spec, release, cache, notice, installed)
        case Family.DNF | Family.ZYPPER:
            return RpmSession(spec, release, cache, notice, programs, installed)
        case _:
            assert_never(release.family)
