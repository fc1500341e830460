"""A session for every family of package managers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from crossbuild.distros import catalog
from crossbuild.distros.apt.session import AptSession
from crossbuild.distros.release import Family, Release
from crossbuild.distros.rpm.session import RpmSession
from crossbuild.distros.session import Session
from crossbuild.host.locks import NoticeSink
from crossbuild.model.spec import ImageSpec

SESSIONS: Mapping[Family, Callable[[ImageSpec, Release, Path, NoticeSink, Path | None], Session]] = {
    Family.APT: AptSession,
    Family.DNF: RpmSession,
    Family.ZYPPER: RpmSession,
}


def open_session(spec: ImageSpec, cache: Path, notice: NoticeSink, installed: Path | None = None) -> Session:
    """Return the session of *spec*, with indexes and packages in *cache*; *notice* hears of waiting.

    *installed* is a folder with the package database of the spec's base, at its place; none: an empty root.
    """
    release = catalog.lookup(spec.distro, spec.release)
    return SESSIONS[release.family](spec, release, cache, notice, installed)
